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
import { type Model, outputName } from '../../graph/model.ts';
import { printModel } from '../../graph/print.ts';
import { dumpProgram } from '../../program/dump.ts';
import { quantize } from '../../quantize.ts';
import { formatShape, hasRank } from '../../tensor/shape.ts';
import { action, type CliCommand, type CommandContext } from '../command.ts';
import { addCommonOptions, type CommonOptions, inputInfos, sessionOptions } from '../options.ts';
import { formatBytes, table } from '../output.ts';
import { addShapeOption, openShaped, type ShapeOptions } from '../shapes.ts';

const stages = ['loaded', 'prepared', 'quantized', 'lowered', 'program'] as const;

interface Options extends CommonOptions, ShapeOptions {
  readonly stage?: (typeof stages)[number];
}

export const inspectCommand: CliCommand = {
  register(program) {
    const command = program
      .command('inspect <model>')
      .description('show inputs, outputs, and how each node runs and why');
    command.addOption(new Option('--stage <name>', 'print the model as text at this stage').choices(stages));
    addCommonOptions(addShapeOption(command)).action(
      action<Options>(async ([file], options, context) => {
        const model = await openShaped(file!, options, context.signal);
        if (options.stage === undefined) {
          if (openInputs(model).length > 0) return declaration(model, context);
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

/** Inputs of unknown rank, or with a free size that is not the batch: nothing can be compiled for them. */
function openInputs(model: Model): InputInfo[] {
  return inputInfos(model).filter(({ shape }) => !hasRank(shape) || shape.slice(1).some((d) => d < 0));
}

async function withExecutable<T>(
  model: Model,
  options: Options,
  { signal }: CommandContext,
  use: (executable: NativeModelExecutable) => T,
): Promise<T> {
  const shapes = Object.fromEntries(benchmarkInputs(model, {}).map((i) => [i.name, i.shape]));
  const executable = await compileNative(model, { ...sessionOptions(options, signal), shapes });
  try {
    return use(executable);
  } finally {
    await executable.close();
  }
}

/** What a model states of itself, printed, and as JSON. */
function stated(model: Model, { out }: CommandContext): Record<string, unknown> {
  const inputs = inputInfos(model);
  const outputs = model.results().map((r) => {
    const { type, shape } = r.source(0)!.fact;
    return { name: outputName(r), type, shape };
  });
  for (const p of inputs) out.line(`input  ${p.name}  ${p.type}${formatShape(p.shape)}`);
  for (const p of outputs) out.line(`output  ${p.name}  ${p.type}${formatShape(p.shape)}`);
  out.line(`weights  ${formatBytes(weightBytes(model))}`);
  return { name: model.name, inputs, outputs, weightBytes: weightBytes(model) };
}

/** What is known before the inputs have sizes. */
function declaration(model: Model, context: CommandContext): void {
  const { out } = context;
  const json = stated(model, context);
  const nodes = model.nodes().filter((n) => !['Parameter', 'Constant', 'Result'].includes(n.type));
  const counts = new Map<string, number>();
  for (const { type } of nodes) counts.set(type, (counts.get(type) ?? 0) + 1);
  out.line('');
  out.table(
    ['type', 'nodes'],
    [...counts].sort(([, a], [, b]) => b - a).map(([type, count]) => [type, `${count}`]),
  );
  const inputs = openInputs(model);
  const asked = inputs.map(({ name, shape }) => `--shape ${name}=${formatShape(shape).slice(1, -1)}`);
  const all = inputs.some(({ shape }) => !hasRank(shape)) ? ', and all sizes in place of ...' : '';
  out.note(`how each node runs depends on sizes: add ${asked.join(' ')} with numbers in place of ?${all}`);
  out.json({ ...json, nodes: nodes.map(({ name, type }) => ({ name, type })) });
}

function overview(model: Model, executable: NativeModelExecutable, context: CommandContext): void {
  const { out } = context;
  const nodes = describeExecution(executable);
  const json = stated(model, context);
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
  out.json({ ...json, multiplyAccumulates: sums, costs, nodes });
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
  const sample = Object.fromEntries(benchmarkInputs(model, {}).map((input, i) => [input.name, randomTensor(input, i)]));
  const { threads } = options;
  const result = await quantize(model, [sample], {
    subsetSize: 1,
    biasCorrection: false,
    signal,
    ...(threads === undefined ? {} : { threads }),
  });
  return result.model;
}
