// The variables of a model: what ReadValue sees in a run, and what Assign leaves for the next one.
import { LowpError } from '../errors/lowp-error.ts';
import type { Model } from '../graph/model.ts';
import type { Node } from '../graph/node.ts';
import { getOp } from '../ops/registry.ts';
import { formatShape, isStatic, type Shape } from '../tensor/shape.ts';
import { type Tensor, zeros } from '../tensor/tensor.ts';

/** Values by the names of variables; empty at the beginning of a sequence. */
export type Variables = Map<string, Tensor>;

/** How a node uses a variable; undefined when it does not. */
export function variableOf(node: Node): { readonly access: 'read' | 'write'; readonly name: string } | undefined {
  const variable = getOp(node.type, node.notes.opset).variable;
  return variable && { access: variable.access, name: variable.name(node.attributes) };
}

/** The nodes that write variables: they run although nobody reads them. */
export function assignments(model: Model): Node[] {
  return model.nodes().filter((node) => variableOf(node)?.access === 'write');
}

/** The names of all variables of a model, in order of first use. */
export function variableNames(model: Model): string[] {
  return [...new Set(model.nodes().flatMap((node) => variableOf(node)?.name ?? []))];
}

/** One run: all reads see the values in front of it, and writes take effect together at its end. */
export class VariableRun {
  private readonly variables: Variables;
  private readonly written = new Map<string, Tensor>();

  constructor(variables: Variables = new Map()) {
    this.variables = variables;
  }

  /**
   * The outputs of a node that uses a variable.
   *
   * @param inputs  those of the node
   * @throws {LowpError} `ERR_RUN_INPUT` when the stored value does not fit the node
   */
  evaluate(node: Node, inputs: readonly (Tensor | undefined)[]): Tensor[] {
    const { access, name } = variableOf(node)!;
    if (access === 'write') {
      this.written.set(name, inputs[0]!);
      return [inputs[0]!];
    }
    const stored = this.variables.get(name);
    if (stored) return [fitting(stored, node, name)];
    return [inputs[0] ?? zeros(node.output.fact.type, startOf(node, name))];
  }

  /** The run has succeeded: the next one reads what was written. */
  commit(): void {
    for (const [name, value] of this.written) this.variables.set(name, value);
  }
}

function startOf(node: Node, name: string): Shape {
  const { shape } = node.output.fact;
  if (isStatic(shape)) return shape;
  throw new LowpError(
    'ERR_SHAPE_DYNAMIC',
    `the variable '${name}' begins with zeros of the shape ${formatShape(shape)}`,
    {
      node: node.name,
      help: 'Give the variable a value before the first run.',
    },
  );
}

function fitting(value: Tensor, node: Node, name: string): Tensor {
  const { type, shape } = node.output.fact;
  const fits = value.shape.length === shape.length && shape.every((d, i) => d < 0 || d === value.shape[i]);
  if (fits && value.type === type) return value;
  const [expected, got] = [`${type}${formatShape(shape)}`, `${value.type}${formatShape(value.shape)}`];
  throw new LowpError('ERR_RUN_INPUT', `the variable '${name}' holds ${got}, the model reads ${expected}`, {
    node: node.name,
    help: 'Reset the state before the shape of the inputs changes.',
  });
}
