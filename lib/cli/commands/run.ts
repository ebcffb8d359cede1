// lowp run: one inference per sample, outputs as .npy.
import path from 'node:path';
import { fitInput, type Sample } from '../../data/dataset.ts';
import { readBytes } from '../../data/numpy.ts';
import { openData } from '../../data/open.ts';
import { ByShape, defaultKeptShapes } from '../../engines/by-shape.ts';
import { engineOf } from '../../engines/devices.ts';
import { LowpError, throwIfAborted } from '../../errors/lowp-error.ts';
import { writeFilesAtomically } from '../../formats/index.ts';
import { inputName, type Model } from '../../graph/model.ts';
import { allocate } from '../../tensor/element-type.ts';
import { readNpy, writeNpy } from '../../tensor/npy.ts';
import { formatShape, type Shape, sameShape } from '../../tensor/shape.ts';
import { stringBytes, stringTensor } from '../../tensor/strings.ts';
import type { Tensor } from '../../tensor/tensor.ts';
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
  namedValues,
  sessionOptions,
} from '../options.ts';
import { addShapeOption, openShaped, type ShapeOptions } from '../shapes.ts';

interface Options extends CommonOptions, DataCliOptions, ShapeOptions {
  readonly input?: readonly string[];
  readonly outputDir?: string;
  readonly device: string;
  readonly dump?: readonly string[];
}

export const runCommand: CliCommand = {
  register(program) {
    const command = program.command('run <model>').description('run a model and write its outputs as .npy files');
    command
      .option('--input <name=file>', 'input as .npy; the batch is the file’s (repeat)', collect)
      .option('--output-dir <dir>', 'folder for one .npy per output; one per sample where shapes differ')
      .addOption(deviceOption())
      .option('--dump <node>', 'also write the output of this node (repeat)', collect);
    addCommonOptions(addDataOptions(addShapeOption(command))).action(
      action<Options>(async ([file], options, { out, signal }) => {
        const model = await openShaped(file!, options, signal);
        const samples = await samplesOf(model, options);
        const results = await runSamples(model, samples, options, signal);
        const written = options.outputDir === undefined ? [] : await writeOutputs(options.outputDir, results);
        for (const { name, tensors } of results) out.line(`${name}  ${describe(tensors)}`);
        for (const name of written) out.note(`wrote ${name}`);
        out.json({
          outputs: results.map(({ name, tensors }) => ({
            name,
            type: tensors[0]!.type,
            shape: commonShape(tensors) ?? null,
            ...(tensors.length === 1 ? {} : { shapes: tensors.map((t) => t.shape) }),
          })),
          files: written,
        });
      }),
    );
  },
};

async function samplesOf(model: Model, options: Options): Promise<Iterable<Sample> | AsyncIterable<Sample>> {
  const inputs = inputInfos(model);
  if (options.input) {
    const files = namedValues(options.input, inputs.length === 1 ? inputs[0]!.name : undefined, '--input');
    const feeds: Record<string, Tensor> = {};
    for (const [name, file] of files) {
      const info = inputs.find((i) => i.name === name);
      if (!info)
        throw new LowpError(
          'ERR_DATA_INPUT',
          `the model has no input '${name}'; its inputs are ${inputs.map((i) => i.name).join(', ')}`,
        );
      feeds[name] = fitInput(
        readNpy(await readBytes(file), file),
        { ...info, shape: info.shape.map((d, i) => (i === 0 ? -1 : d)) },
        file,
      );
    }
    const missing = inputs.find((i) => !feeds[i.name]);
    if (missing) throw new LowpError('ERR_DATA_INPUT', `there is no --input for '${missing.name}'`);
    return [{ id: options.input.join(','), inputs: feeds }];
  }
  if (options.data !== undefined) return (await openData(options.data, inputs, dataOptions(options))).data;
  throw new LowpError('ERR_CLI_USAGE', 'run needs --input or --data');
}

/** What an output was for each sample: joined along the first axis, or one by one where the other sizes differ. */
interface Output {
  readonly name: string;
  readonly tensors: readonly Tensor[];
}

async function runSamples(
  model: Model,
  samples: Iterable<Sample> | AsyncIterable<Sample>,
  options: Options,
  signal: AbortSignal,
): Promise<Output[]> {
  const taps = (options.dump ?? []).map((name) => model.node(name).output);
  const engine = engineOf(options.device);
  const executables = new ByShape(defaultKeptShapes, async (shapes) => ({
    executable: await engine.compile(model, { ...sessionOptions(options, signal), shapes, taps }),
  }));
  const parts = new Map<string, Tensor[]>();
  try {
    for await (const sample of samples) {
      throwIfAborted(signal);
      const shapes = Object.fromEntries(
        model.parameters().map((p) => [inputName(p), sample.inputs[inputName(p)]?.shape ?? p.output.fact.shape]),
      );
      const { executable } = await executables.get(shapes);
      const result = await executable.run(sample.inputs, { signal });
      const all: Record<string, Tensor> = { ...result.outputs };
      for (const [i, name] of (options.dump ?? []).entries()) all[name] = result.taps[i]!;
      for (const [name, t] of Object.entries(all)) {
        const list = parts.get(name);
        if (list) list.push(t);
        else parts.set(name, [t]);
      }
    }
  } finally {
    await executables.close();
  }
  return [...parts].map(([name, list]) => ({ name, tensors: joined(list) }));
}

/** One tensor when all parts can be rows of it. */
function joined(parts: readonly Tensor[]): readonly Tensor[] {
  const first = parts[0]!;
  const rest = first.shape.slice(1);
  const isAlike = (t: Tensor): boolean => t.shape.length > 0 && sameShape(t.shape.slice(1), rest);
  if (parts.length === 1 || !parts.every(isAlike)) return parts;
  const shape = [parts.reduce((sum, p) => sum + p.shape[0]!, 0), ...rest];
  if (first.type === 'string') return [stringTensor(shape, parts.flatMap(stringBytes))];
  const data = allocate(
    first.type,
    parts.reduce((sum, p) => sum + p.data.length, 0),
  );
  let at = 0;
  for (const part of parts) {
    (data as Float32Array).set(part.data as Float32Array, at);
    at += part.data.length;
  }
  return [{ type: first.type, shape, data }];
}

function describe(tensors: readonly Tensor[]): string {
  const shape = commonShape(tensors);
  const text = `${tensors[0]!.type}${shape ? formatShape(shape) : '[…]'}`;
  return tensors.length === 1 ? text : `${text}, ${tensors.length} samples of different shapes`;
}

/** The shape that all tensors have, -1 where they differ; undefined when their ranks differ. */
function commonShape(tensors: readonly Tensor[]): Shape | undefined {
  const [first, ...others] = tensors.map((t) => t.shape);
  if (others.some((shape) => shape.length !== first!.length)) return undefined;
  return first!.map((d, i) => (others.every((shape) => shape[i] === d) ? d : -1));
}

/** One `.npy` for each tensor, all or none: `NAME.npy`, or `NAME.0.npy`, `NAME.1.npy`, … for those that were not
 * joined, with zeros in front that sort them.
 */
async function writeOutputs(dir: string, outputs: readonly Output[]): Promise<string[]> {
  const files = new Map<string, Uint8Array>();
  for (const { name, tensors } of outputs) {
    const plain = name.replace(/[/:]/g, '_');
    for (const [i, t] of tensors.entries()) {
      const number = `${i}`.padStart(`${tensors.length - 1}`.length, '0');
      const file = path.join(dir, tensors.length === 1 ? `${plain}.npy` : `${plain}.${number}.npy`);
      if (files.has(file))
        throw new LowpError('ERR_IO_WRITE', `two outputs would be written to ${file}`, { path: file });
      files.set(file, writeNpy(t));
    }
  }
  await writeFilesAtomically([...files].map(([file, content]) => ({ path: file, content })));
  return [...files.keys()];
}
