// lowp inspect: inputs, outputs, nodes, and how each node runs.
import { Option } from 'commander';
import { weightBytes } from '../../benchmark/run.ts';
import { describeExecution, type NodeDescription } from '../../engines/describe.ts';
import { compileNative } from '../../engines/native-engine.ts';
import { LowpError } from '../../errors/lowp-error.ts';
import { openModel } from '../../formats/index.ts';
import { inputName, type Model, outputName } from '../../graph/model.ts';
import { printModel } from '../../graph/print.ts';
import { dumpProgram } from '../../program/dump.ts';
import { formatShape } from '../../tensor/shape.ts';
import { action, type CliCommand } from '../command.ts';
import { addCommonOptions, type CommonOptions, collect, namedValues, sessionOptions } from '../options.ts';
import { formatBytes, table } from '../output.ts';

const stages = ['loaded', 'prepared', 'lowered', 'program'] as const;

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
      .addOption(new Option('--stage <name>', 'print the model as text at this stage').choices([...stages]))
      .option('--shape <name=dims>', 'shape of a dynamic input, NAME=1,3,224,224 (repeat)', collect);
    addCommonOptions(command).action(
      action<Options>(async ([file], options, { out, signal }) => {
        const model = await openModel(file!, { signal });
        if (options.stage === 'loaded') {
          out.line(printModel(model));
          out.json({ stage: 'loaded', text: printModel(model) });
          return;
        }
        const executable = await compileNative(model, {
          ...sessionOptions(options, signal),
          shapes: shapesFor(model, options.shape ?? []),
        });
        try {
          const nodes = describeExecution(executable);
          if (options.stage !== undefined) {
            const text = stageText(options.stage, executable, nodes);
            out.line(text);
            out.json({ stage: options.stage, text });
            return;
          }
          const ports = {
            inputs: model
              .parameters()
              .map((p) => ({ name: inputName(p), type: p.output.fact.type, shape: p.output.fact.shape })),
            outputs: model
              .results()
              .map((r) => ({ name: outputName(r), type: r.source(0)!.fact.type, shape: r.source(0)!.fact.shape })),
          };
          for (const [kind, list] of Object.entries(ports))
            for (const p of list) out.line(`${kind.slice(0, -1)}  ${p.name}  ${p.type}${formatShape(p.shape)}`);
          out.line(`weights  ${formatBytes(weightBytes(model))}`);
          out.line();
          out.line(nodeTable(nodes));
          out.json({ name: model.name, ...ports, weightBytes: weightBytes(model), nodes });
        } finally {
          await executable.close();
        }
      }),
    );
  },
};

function nodeTable(nodes: readonly NodeDescription[]): string {
  return table(
    ['node', 'type', 'runs in', 'kernel', 'why'],
    nodes.map((n) => [n.name, n.type, n.precision, n.row ?? n.fusedInto ?? '', n.reason ?? '']),
  );
}

function stageText(
  stage: 'prepared' | 'lowered' | 'program',
  executable: Awaited<ReturnType<typeof compileNative>>,
  nodes: readonly NodeDescription[],
): string {
  if (stage === 'prepared') return printModel(executable.model);
  if (stage === 'lowered') return nodeTable(nodes);
  return executable.steps
    .map((s) => (s.kind === 'native' ? dumpProgram(s.lowered.program) : `host ${s.node.name} (${s.reason})\n`))
    .join('\n');
}

/** Static shapes for the inputs: those given, and a batch of 1 where the batch is free. */
function shapesFor(model: Model, list: readonly string[]): Record<string, number[]> {
  const parameters = model.parameters();
  const given = namedValues(list, parameters.length === 1 ? inputName(parameters[0]!) : undefined, '--shape');
  const shapes: Record<string, number[]> = {};
  for (const p of parameters) {
    const text = given.get(inputName(p));
    const shape =
      text === undefined ? p.output.fact.shape.map((d, i) => (d < 0 && i === 0 ? 1 : d)) : text.split(',').map(Number);
    if (shape.some((d) => !Number.isInteger(d)))
      throw new LowpError('ERR_CLI_USAGE', `--shape ${text}: expected sizes like 1,3,224,224`);
    shapes[inputName(p)] = [...shape];
  }
  return shapes;
}
