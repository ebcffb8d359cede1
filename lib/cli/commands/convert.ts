// lowp convert: a model in another format or precision, or for other input shapes.
import { Option } from 'commander';
import { throwIfAborted } from '../../errors/lowp-error.ts';
import { saveModel } from '../../formats/index.ts';
import { action, type CliCommand } from '../command.ts';
import { addCommonOptions, type CommonOptions, checkOutputFile } from '../options.ts';
import { addShapeOption, openShaped, type ShapeOptions } from '../shapes.ts';

interface Options extends CommonOptions, ShapeOptions {
  readonly output: string;
  readonly precision?: 'fp32' | 'fp16';
  readonly onnxForm: 'pairs' | 'operators';
}

export const convertCommand: CliCommand = {
  register(program) {
    const command = program
      .command('convert <model>')
      .description('write a model in another format, precision or shape');
    command
      .requiredOption('-o, --output <file>', '.xml or .onnx')
      .addOption(new Option('--precision <name>', 'of floating-point weights').choices(['fp32', 'fp16']))
      .addOption(
        new Option('--onnx-form <name>', 'of a quantized .onnx: QuantizeLinear pairs, or integer operators')
          .choices(['pairs', 'operators'])
          .default('pairs'),
      );
    addCommonOptions(addShapeOption(command)).action(
      action<Options>(async ([file], options, { out, signal }) => {
        checkOutputFile(file!, options.output);
        const model = await openShaped(file!, options, signal);
        throwIfAborted(signal);
        const { precision, onnxForm } = options;
        await saveModel(model, options.output, { onnxForm, ...(precision ? { precision } : {}) });
        out.line(`wrote ${options.output}`);
        out.json({ output: options.output });
      }),
    );
  },
};
