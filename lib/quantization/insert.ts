// Puts quantizers on the inputs of operations: without limits first, then with them.
import { addConstant, addNode, connect, setAttributes } from '../graph/edit.ts';
import type { Model } from '../graph/model.ts';
import type { InputPort, Node, OutputPort } from '../graph/node.ts';
import { fromFloat64 } from '../tensor/convert.ts';
import { isFloat } from '../tensor/element-type.ts';
import type { Shape } from '../tensor/shape.ts';
import type { IgnoredNodes } from './ignored-scope.ts';
import type { Limits } from './params.ts';
import { consumersOf, isComputedConstant, isConstant, quantizerType, type Roles, traitsOf } from './roles.ts';

/** A quantizer on every input that the device quantizes, directly in front of the operation. */
export function insertQuantizers(model: Model, roles: Roles, ignored: IgnoredNodes): Node[] {
  const added: Node[] = [];
  for (const node of model.nodes()) {
    if (!roles.isQuantizable(node) || ignored.reasons.has(node)) continue;
    for (const input of quantizedInputs(node)) added.push(addQuantizer(model, input));
  }
  return added;
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
  const source = input.source!;
  const role = isConstant(source) ? 'weights' : 'input';
  const node = addNode(model, {
    type: quantizerType,
    name: `${input.node.name}/fq_${role}_${input.index}`,
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
