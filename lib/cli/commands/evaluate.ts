// lowp evaluate: metrics of a model over labelled data.

import { openData } from '../../data/open.ts';
import { LowpError } from '../../errors/lowp-error.ts';
import { evaluate } from '../../evaluation/evaluate.ts';
import { openModel } from '../../formats/index.ts';
import { action, type CliCommand } from '../command.ts';
import {
  addCommonOptions,
  addDataOptions,
  type CommonOptions,
  collect,
  type DataCliOptions,
  dataOptions,
  inputInfos,
  requireData,
  sessionOptions,
} from '../options.ts';
import { formatPercent } from '../output.ts';

interface Options extends CommonOptions, DataCliOptions {
  readonly labels?: string;
  readonly metric?: readonly string[];
  readonly dataset?: string;
  readonly device: string;
}

export const evaluateCommand: CliCommand = {
  register(program) {
    const command = program.command('evaluate <model>').description('measure metrics over labelled data');
    command
      .option('--labels <file>', '.npy, .txt or .json with the class of each sample')
      .option('--metric <name>', 'accuracy@K (repeat; default accuracy@1)', collect)
      .option('--dataset <file>', 'a dataset file that names data, labels and metrics')
      .option('--device <name>', 'CPU or REFERENCE', 'CPU');
    addCommonOptions(addDataOptions(command)).action(
      action<Options>(async ([file], options, { out, signal }) => {
        const model = await openModel(file!, { signal });
        const spec = options.dataset ?? requireData(options, 'evaluate');
        const opened = await openData(spec, inputInfos(model), dataOptions(options));
        const labels = await opened.labels();
        if (!labels)
          throw new LowpError('ERR_DATA_LABELS', 'evaluate needs labels', {
            help: 'Give --labels FILE, or labels in the dataset file.',
          });
        const metrics = opened.options.metrics ?? ['accuracy@1'];
        const result = await evaluate(model, opened.data, labels, {
          ...sessionOptions(options, signal),
          metrics,
          onProgress: out.progress(),
        });
        for (const [name, value] of Object.entries(result.metrics))
          out.line(`${name}  ${formatPercent(value)}  (${result.samples} samples)`);
        out.json({ samples: result.samples, metrics: result.metrics });
      }),
    );
  },
};
