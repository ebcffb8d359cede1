// lowp evaluate: metrics of a model over labelled data.

import { type OpenedData, openData } from '../../data/open.ts';
import { LowpError } from '../../errors/lowp-error.ts';
import { evaluate } from '../../evaluation/evaluate.ts';
import { openModel } from '../../formats/index.ts';
import { findMetric, type Metric, metricDefinitions } from '../../metrics/index.ts';
import { postprocessors } from '../../predictions/index.ts';
import { action, type CliCommand } from '../command.ts';
import {
  addCommonOptions,
  addDataOptions,
  type CommonOptions,
  collect,
  type DataCliOptions,
  dataOptions,
  deviceOption,
  inputInfos,
  integer,
  requireData,
  sessionOptions,
} from '../options.ts';
import { formatPercent } from '../output.ts';
import { addShapeOption, openShaped, type ShapeOptions } from '../shapes.ts';

interface Options extends CommonOptions, DataCliOptions, ShapeOptions {
  readonly labels?: string;
  readonly metric?: readonly string[];
  readonly dataset?: string;
  readonly reference?: string;
  readonly limit?: number;
  readonly device: string;
}

const rows = (list: readonly (readonly [string, string])[]): string =>
  list.map(([name, text]) => `  ${name.padEnd(42)} ${text}`).join('\n');
const help = `
Metrics:
${rows(metricDefinitions.map((m) => [m.usage, m.summary]))}

postprocess of a dataset file, a name or { type: NAME, … }:
${rows(postprocessors.map((p) => [p.name, p.summary]))}`;

export const evaluateCommand: CliCommand = {
  register(program) {
    const command = program.command('evaluate <model>').description('measure metrics over labelled data');
    command
      .option('--labels <file>', '.npy, .txt or .json with the class of each sample')
      .option('--metric <name>', 'NAME or NAME:key=value,… (repeat; default accuracy@1)', collect)
      .option('--dataset <file>', 'a dataset file that names data, labels, metrics and postprocess')
      .option('--reference <model>', 'without labels: the predictions of this model are right')
      .option('--limit <n>', 'the first N samples only', integer(1))
      .addOption(deviceOption());
    addCommonOptions(addDataOptions(addShapeOption(command)))
      .addHelpText('after', help)
      .action(
        action<Options>(async ([file], options, { out, signal }) => {
          const given = dataOptions(options);
          const metrics = (given.metrics ?? []).map(findMetric);
          const model = await openShaped(file!, options, signal);
          const spec = options.dataset ?? requireData(options, 'evaluate');
          const opened = await openData(spec, inputInfos(model), given);
          const truth = await truthOf(opened, given.reference, signal);
          const all = metrics.length > 0 ? metrics : (opened.options.metrics ?? ['accuracy@1']).map(findMetric);
          const { postprocess } = opened.options;
          const result = await evaluate(model, opened.data, truth.labels, {
            ...sessionOptions(options, signal),
            metrics: all,
            ...(truth.reference ? { reference: truth.reference } : {}),
            ...(postprocess === undefined ? {} : { postprocess }),
            onProgress: out.progress(),
          });
          for (const metric of all)
            out.line(`${metric.name}  ${formatMetric(metric, result.metrics)}  (${result.samples} samples)`);
          out.json({ samples: result.samples, metrics: result.metrics });
        }),
      );
  },
};

/** Labels, or the model whose predictions stand for them. */
async function truthOf(opened: OpenedData, asked: string | undefined, signal: AbortSignal) {
  const labels = asked === undefined ? await opened.labels() : undefined;
  if (labels) return { labels, reference: undefined };
  const { reference } = opened.options;
  if (reference !== undefined) return { labels: undefined, reference: await openModel(reference, { signal }) };
  throw new LowpError('ERR_DATA_LABELS', 'evaluate needs labels, or a model to compare with', {
    help: 'Give --labels FILE, labels in the dataset file, or --reference MODEL.',
  });
}

function formatMetric({ name, unit }: Metric, values: Readonly<Record<string, number>>): string {
  return unit === 'dB' ? `${values[name]!.toFixed(3)} dB` : formatPercent(values[name]!);
}
