// lowp run: one inference per sample, outputs as .npy.
import path from 'node:path';
import { fitInput, type Sample } from '../../data/dataset.ts';
import { readBytes } from '../../data/numpy.ts';
import { openData } from '../../data/open.ts';
import { engineOf } from '../../engines/devices.ts';
import type { Executable } from '../../engines/engine.ts';
import { LowpError, throwIfAborted } from '../../errors/lowp-error.ts';
import { openModel, writeFilesAtomically } from '../../formats/index.ts';
import { inputName, type Model } from '../../graph/model.ts';
import { allocate } from '../../tensor/element-type.ts';
import { readNpy, writeNpy } from '../../tensor/npy.ts';
import { formatShape, sameShape } from '../../tensor/shape.ts';
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

interface Options extends CommonOptions, DataCliOptions {
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
      .option('--output-dir <dir>', 'folder for one .npy per output')
      .addOption(deviceOption())
      .option('--dump <node>', 'also write the output of this node (repeat)', collect);
    addCommonOptions(addDataOptions(command)).action(
      action<Options>(async ([file], options, { out, signal }) => {
        const model = await openModel(file!, { signal });
        const samples = await samplesOf(model, options);
        const results = await runSamples(model, samples, options, signal);
        const written = options.outputDir === undefined ? [] : await writeOutputs(options.outputDir, results);
        for (const [name, t] of results) out.line(`${name}  ${t.type}${formatShape(t.shape)}`);
        for (const name of written) out.note(`wrote ${name}`);
        out.json({
          outputs: [...results].map(([name, t]) => ({ name, type: t.type, shape: t.shape })),
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

/** Outputs by name; those of several samples are joined along the first axis. */
async function runSamples(
  model: Model,
  samples: Iterable<Sample> | AsyncIterable<Sample>,
  options: Options,
  signal: AbortSignal,
): Promise<Map<string, Tensor>> {
  const taps = (options.dump ?? []).map((name) => model.node(name).output);
  const engine = engineOf(options.device);
  const parts = new Map<string, Tensor[]>();
  let compiled: { key: string; executable: Executable } | undefined;
  try {
    for await (const sample of samples) {
      throwIfAborted(signal);
      const shapes = Object.fromEntries(
        model.parameters().map((p) => [inputName(p), sample.inputs[inputName(p)]?.shape ?? p.output.fact.shape]),
      );
      const key = JSON.stringify(shapes);
      if (compiled?.key !== key) {
        await compiled?.executable.close();
        compiled = {
          key,
          executable: await engine.compile(model, { ...sessionOptions(options, signal), shapes, taps }),
        };
      }
      const result = await compiled.executable.run(sample.inputs, { signal });
      const all: Record<string, Tensor> = { ...result.outputs };
      for (const [i, name] of (options.dump ?? []).entries()) all[name] = result.taps[i]!;
      for (const [name, t] of Object.entries(all)) {
        const list = parts.get(name);
        if (list) list.push(t);
        else parts.set(name, [t]);
      }
    }
  } finally {
    await compiled?.executable.close();
  }
  return new Map([...parts].map(([name, list]) => [name, join(name, list)]));
}

function join(name: string, parts: readonly Tensor[]): Tensor {
  const first = parts[0]!;
  if (parts.length === 1) return first;
  const rest = first.shape.slice(1);
  if (first.shape.length === 0 || parts.some((p) => !sameShape(p.shape.slice(1), rest))) {
    throw new LowpError(
      'ERR_DATA_SHAPE',
      `output '${name}' has another shape for each sample and cannot be joined into one file`,
    );
  }
  const rows = parts.reduce((sum, p) => sum + p.shape[0]!, 0);
  const data = allocate(
    first.type,
    parts.reduce((sum, p) => sum + p.data.length, 0),
  );
  let at = 0;
  for (const part of parts) {
    (data as Float32Array).set(part.data as Float32Array, at);
    at += part.data.length;
  }
  return { type: first.type, shape: [rows, ...rest], data };
}

/** One `.npy` for each value, all or none. */
async function writeOutputs(dir: string, results: ReadonlyMap<string, Tensor>): Promise<string[]> {
  const files = new Map<string, Uint8Array>();
  for (const [name, t] of results) {
    const file = path.join(dir, `${name.replace(/[/:]/g, '_')}.npy`);
    if (files.has(file)) throw new LowpError('ERR_IO_WRITE', `two outputs would be written to ${file}`, { path: file });
    files.set(file, writeNpy(t));
  }
  await writeFilesAtomically([...files].map(([file, content]) => ({ path: file, content })));
  return [...files.keys()];
}
