// Puts quantizers on the inputs and outputs of operations: without limits first, then with them.
import { addConstant, addNode, connect, setAttributes } from '../graph/edit.ts';
import type { Model } from '../graph/model.ts';
import type { InputPort, Node, OutputPort } from '../graph/node.ts';
import { fromFloat64 } from '../tensor/convert.ts';
import { isFloat } from '../tensor/element-type.ts';
import type { Shape } from '../tensor/shape.ts';
import type { IgnoredNodes } from './ignored-scope.ts';
import type { Limits } from './params.ts';
import {
  consumersOf,
  hardwareType,
  isComputedConstant,
  isConstant,
  quantizerType,
  type Roles,
  readsShapeOnly,
  traitsOf,
} from './roles.ts';

/** Whose choices decide the format of a quantizer: those of its readers, or those of the producer's output. */
export interface Origin {
  readonly isOutput: boolean;
  /** When two quantizers become one, the higher number decides; the one nearer to the producer among equals. */
  readonly priority: number;
}

/** Where every quantizer of a placement comes from. */
export type Origins = Map<Node, Origin>;

/** A quantizer on every input and output that the device quantizes, directly beside the operation. */
export function insertQuantizers(model: Model, roles: Roles, ignored: IgnoredNodes): Origins {
  const origins: Origins = new Map();
  for (const node of model.nodes()) {
    if (ignored.reasons.has(node)) continue;
    if (roles.isQuantizable(node)) {
      const takesConstants = roles.row(node)?.weights !== undefined;
      for (const input of quantizedInputs(node)) {
        if (isOutputOfInput(input)) continue;
        if (takesConstants || !isConstant(input.source)) {
          origins.set(addQuantizer(model, input), originOfInput(node, roles));
        }
      }
    }
    if (roles.row(node)?.outputs) addOutputQuantizers(model, withBias(node), { roles, ignored, origins });
  }
  return origins;
}

/** The origin of a quantizer in front of an operation. */
export function originOfInput(node: Node, roles: Roles): Origin {
  const isStrong = roles.target.inputPriorityTypes?.includes(hardwareType(node)) ?? false;
  return { isOutput: false, priority: isStrong ? 2 : 1 };
}

/** The sum that adds the bias of a product, or the node itself. */
function withBias(node: Node): Node {
  const [reader, ...others] = consumersOf(node);
  const isBiased = traitsOf(node).weights !== undefined && reader?.node.type === 'Add' && others.length === 0;
  return isBiased && isConstant(reader.node.source(1 - reader.index)) ? reader.node : node;
}

/** An output of the model that is an input of it: nothing is computed, and both have names to keep. */
function isOutputOfInput(edge: InputPort): boolean {
  return edge.node.type === 'Result' && edge.source?.node.type === 'Parameter';
}

interface Placing {
  readonly roles: Roles;
  readonly ignored: IgnoredNodes;
  readonly origins: Origins;
}

/** A quantizer on every edge behind an operation, named `<operation>/fq_output_<port>_<reader>`. */
function addOutputQuantizers(model: Model, node: Node, { roles, ignored, origins }: Placing): void {
  const priority = roles.row(node)?.outputPriority ?? 0;
  for (const output of node.outputs) {
    for (const [i, reader] of [...output.consumers].entries()) {
      if (readsShapeOnly(reader.node) || ignored.reasons.has(reader.node) || isOutputOfInput(reader)) continue;
      const added = addNamed(model, reader, `${node.name}/fq_output_${output.index}_${i}`);
      origins.set(added, { isOutput: true, priority });
    }
  }
}

/** The inputs of an operation that are quantized; shape arithmetic and absent inputs are left out. */
export function quantizedInputs(node: Node): InputPort[] {
  const listed = traitsOf(node).quantizedPorts ?? [];
  const ports = isScaleOfScaleShift(node) ? [0] : listed === 'all' ? node.inputs.map((i) => i.index) : listed;
  return ports.flatMap((index) => {
    const input = node.inputs[index];
    return input?.source && !isComputedConstant(input.source) ? [input] : [];
  });
}

/** A product with a constant that is followed by a sum with a constant: only its data is rounded. */
export function isScaleOfScaleShift(node: Node): boolean {
  if (node.type !== 'Multiply' || !isConstant(node.source(1))) return false;
  const next = consumersOf(node)[0]?.node;
  return next?.type === 'Add' && isConstant(next.source(1));
}

/**
 * A quantizer without limits on one edge, named `<operation>/fq_weights_<port>` on constants and
 * `<operation>/fq_input_<port>` elsewhere.
 */
export function addQuantizer(model: Model, input: InputPort): Node {
  const role = isConstant(input.source) ? 'weights' : 'input';
  return addNamed(model, input, `${input.node.name}/fq_${role}_${input.index}`);
}

function addNamed(model: Model, input: InputPort, name: string): Node {
  const source = input.source!;
  const node = addNode(model, {
    type: quantizerType,
    name,
    attributes: { levels: 256, auto_broadcast: 'numpy' },
    inputs: [source, undefined, undefined, undefined, undefined],
    outputs: [{ type: source.fact.type, shape: source.fact.shape }],
    notes: { opset: 'opset1' },
  });
  connect(input, node.output);
  return node;
}

/** The data that a quantizer rounds. */
export function quantizedSource(quantizer: Node): OutputPort {
  return quantizer.source(0)!;
}

/** Limits of a quantizer with the shape in which they meet the data. */
export interface ShapedLimits {
  readonly levels: number;
  /** Scalar, or ones with the channels on their axes. */
  readonly shape: Shape;
  readonly input: Limits;
  /** The same as `input` unless values are rescaled. */
  readonly output?: Limits;
}

/** Gives a quantizer its limits. */
export function setLimits(model: Model, quantizer: Node, limits: ShapedLimits): void {
  const { levels, shape, input, output } = limits;
  setAttributes(quantizer, { ...quantizer.attributes, levels });
  const type = quantizedSource(quantizer).fact.type;
  const limit = (name: string, values: Float32Array): OutputPort => {
    const value = fromFloat64(Float64Array.from(values), shape, isFloat(type) ? type : 'f32');
    return addConstant(model, `${quantizer.name}/${name}`, value).output;
  };
  const inputLow = limit('input_low', input.low);
  const inputHigh = limit('input_high', input.high);
  connect(quantizer.inputs[1]!, inputLow);
  connect(quantizer.inputs[2]!, inputHigh);
  connect(quantizer.inputs[3]!, output ? limit('output_low', output.low) : inputLow);
  connect(quantizer.inputs[4]!, output ? limit('output_high', output.high) : inputHigh);
}
