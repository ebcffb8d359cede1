// lowp inspect: inputs, outputs, nodes, and how each node runs.
import { Option } from 'commander';
import { benchmarkInputs, weightBytes } from '../../benchmark/run.ts';
import type { InputInfo } from '../../data/dataset.ts';
import { randomTensor } from '../../data/synthetic.ts';
import {
  costByPrecision,
  describeExecution,
  multiplyAccumulates,
  type NodeDescription,
} from '../../engines/describe.ts';
import { compileNative, type NativeModelExecutable } from '../../engines/native-engine.ts';
import { openModel } from '../../formats/index.ts';
import { type Model, outputName } from '../../graph/model.ts';
import { printModel } from '../../graph/print.ts';
import { dumpProgram } from '../../program/dump.ts';
import { quantize } from '../../quantize.ts';
import { formatShape } from '../../tensor/shape.ts';
import { action, type CliCommand, type CommandContext } from '../command.ts';
import { addCommonOptions, type CommonOptions, collect, inputInfos, sessionOptions, shapesOf } from '../options.ts';
import { formatBytes, table } from '../output.ts';

const stages = ['loaded', 'prepared', 'quantized', 'lowered', 'program'] as const;

interface Options extends CommonOptions {
  readonly stage?: (typeof stages)[number];
  readonly shape?: readonly string[];
}

export const inspectCommand: CliCommand = {
  register(program) {
    const command = program
      .command('inspect <model>')
      .description('show inputs, outputs, and how each node runs and why');
    command
      .addOption(new Option('--stage <name>', 'print the model as text at this stage').choices(stages))
      .option('--shape <name=dims>', 'shape of a dynamic input, NAME=1,3,224,224 (repeat)', collect);
    addCommonOptions(command).action(
      action<Options>(async ([file], options, context) => {
        const model = await openModel(file!, { signal: context.signal });
        if (options.stage === undefined) {
          await withExecutable(model, options, context, (executable) => overview(model, executable, context));
          return;
        }
        const text = await stageText(options.stage, model, options, context);
        context.out.line(text.trimEnd());
        context.out.json({ stage: options.stage, text });
      }),
    );
  },
};

/** The model's inputs with the shapes of `--shape`, a batch of 1 where it is free. */
function staticInputs(model: Model, options: Options): InputInfo[] {
  return benchmarkInputs(model, { shapes: shapesOf(options.shape ?? [], [model]) });
}

async function withExecutable<T>(
  model: Model,
  options: Options,
  { signal }: CommandContext,
  use: (executable: NativeModelExecutable) => T,
): Promise<T> {
  const shapes = Object.fromEntries(staticInputs(model, options).map((i) => [i.name, i.shape]));
  const executable = await compileNative(model, { ...sessionOptions(options, signal), shapes });
  try {
    return use(executable);
  } finally {
    await executable.close();
  }
}

function overview(model: Model, executable: NativeModelExecutable, { out }: CommandContext): void {
  const nodes = describeExecution(executable);
  const inputs = inputInfos(model);
  const outputs = model.results().map((r) => {
    const { type, shape } = r.source(0)!.fact;
    return { name: outputName(r), type, shape };
  });
  for (const p of inputs) out.line(`input  ${p.name}  ${p.type}${formatShape(p.shape)}`);
  for (const p of outputs) out.line(`output  ${p.name}  ${p.type}${formatShape(p.shape)}`);
  out.line(`weights  ${formatBytes(weightBytes(model))}`);
  const sums = multiplyAccumulates(nodes);
  const share = sums.total === 0 ? '' : `, ${((100 * sums.int8) / sums.total).toFixed(1)} % in INT8`;
  out.line(`multiply-accumulates  ${millions(sums.total)} M${share}\n`);
  const costs = costByPrecision(nodes);
  out.table(
    ['runs in', 'nodes', 'M multiply-adds', 'M elements'],
    costs.map((c) => [c.precision, `${c.nodes}`, millions(c.multiplyAccumulates), millions(c.elements, 3)]),
  );
  out.line('');
  out.table(nodeHead, nodes.map(nodeRow));
  const json = { name: model.name, inputs, outputs, weightBytes: weightBytes(model), multiplyAccumulates: sums };
  out.json({ ...json, costs, nodes });
}

const millions = (n: number, digits = 1): string => (n / 1e6).toFixed(digits);

const nodeHead = ['node', 'type', 'runs in', 'kernel', 'M multiply-adds', 'M elements', 'why'];

function nodeRow(n: NodeDescription): string[] {
  const products = n.multiplyAccumulates === undefined ? '' : millions(n.multiplyAccumulates);
  const elements = n.elements === undefined ? '' : millions(n.elements, 3);
  return [n.name, n.type, n.precision, n.row ?? n.fusedInto ?? '', products, elements, n.reason ?? ''];
}

async function stageText(
  stage: (typeof stages)[number],
  model: Model,
  options: Options,
  context: CommandContext,
): Promise<string> {
  if (stage === 'loaded') return printModel(model);
  if (stage === 'quantized') return printModel(await quantizedOnNoise(model, options, context));
  return withExecutable(model, options, context, (executable) => {
    if (stage === 'prepared') return printModel(executable.model);
    if (stage === 'lowered') return table(nodeHead, describeExecution(executable).map(nodeRow));
    return executable.steps
      .map((s) => (s.kind === 'native' ? dumpProgram(s.lower().program) : `host ${s.node.name} (${s.reason})\n`))
      .join('\n');
  });
}

/** Where quantizers would be placed; their ranges come from one random sample. */
async function quantizedOnNoise(model: Model, options: Options, { out, signal }: CommandContext): Promise<Model> {
  out.note('the ranges come from one random sample and mean nothing; only the places of the quantizers do');
  const sample = Object.fromEntries(
    staticInputs(model, options).map((input, i) => [input.name, randomTensor(input, i)]),
  );
  const { threads } = options;
  const result = await quantize(model, [sample], {
    subsetSize: 1,
    biasCorrection: false,
    signal,
    ...(threads === undefined ? {} : { threads }),
  });
  return result.model;
}
