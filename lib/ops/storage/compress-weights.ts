// Quantized weights as integers: Constant → FakeQuantize becomes Constant → Convert → [Subtract] → Multiply.
import { addConstant, removeDead, rename, replaceOutput } from '../../graph/edit.ts';
import type { Model } from '../../graph/model.ts';
import { constantOf, type Node, type OutputPort } from '../../graph/node.ts';
import { fromFloat64, toFloat64 } from '../../tensor/convert.ts';
import { allocate, type ElementType } from '../../tensor/element-type.ts';
import { broadcastShapes, type Shape } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { expandTensor, expandValues } from '../broadcast.ts';
import { createNode } from '../create-node.ts';
import { evaluateNode } from '../evaluate-node.ts';
import { getOp } from '../registry.ts';

/** Zero points this close to an integer are that integer; limits in f32 leave about 1e-5 of noise. */
const zeroPointNoise = 1e-4;

/** Weights on their integer grid: `real = scale · (values − zeroPoint)`. */
interface IntegerWeights {
  readonly values: Tensor;
  /** Shape of the limits, for example `[O, 1, 1, 1]`. */
  readonly scale: Tensor;
  /** Absent when it is 0 everywhere. */
  readonly zeroPoint: Tensor | undefined;
}

/**
 * Stores the weights behind each FakeQuantize with 3 to 256 levels as integers: i8, or i4 up to 16 levels.
 *
 * With `lowest = −⌊levels / 2⌋` and `highest = lowest + levels − 1`: `scale = (oh − ol) / (highest − lowest)` and
 * `zeroPoint = lowest − ol / scale` for each element of the limits. The values are read from what the FakeQuantize itself
 * gives, so that both forms lie on the same step of the grid; they differ by the rounding of the formulas, at most
 * 2 units in the last place of the larger limit.
 *
 * The Multiply takes the name and the tensor names of the FakeQuantize. Weights with NaN, with limits that are not
 * constant, or with an empty range away from zero stay as they are. Returns how many were stored.
 *
 * @see OpenVINO POT, compression of weights at save time
 */
export function compressWeights(model: Model): number {
  let count = 0;
  for (const node of model.nodes()) {
    if (node.type !== 'FakeQuantize') continue;
    const weights = integerWeights(node);
    if (!weights) continue;
    replaceByIntegers(model, node, weights);
    count++;
  }
  if (count > 0) removeDead(model, (n) => getOp(n.type, n.notes.opset).stateful === true);
  return count;
}

function integerWeights(node: Node): IntegerWeights | undefined {
  const levels = Number(node.attributes.levels);
  const limits = [1, 2, 3, 4].map((i) => constantOf(node.source(i)));
  if (levels <= 2 || levels > 256 || !limits.every((l) => l !== undefined)) return undefined;
  const x = storedValue(node.source(0));
  const real = x && evaluateNode(node, [x, ...limits])?.[0];
  if (!real) return undefined;
  const [, , outputLow, outputHigh] = limits;
  return toGrid(real, outputLow!, outputHigh!, levels);
}

/** A constant, or a constant behind one Convert: weights that were stored as integers or halves before. */
function storedValue(port: OutputPort | undefined): Tensor | undefined {
  const known = constantOf(port);
  if (known || port?.node.type !== 'Convert') return known;
  const stored = constantOf(port.node.source(0));
  return stored && evaluateNode(port.node, [stored])?.[0];
}

function toGrid(real: Tensor, outputLow: Tensor, outputHigh: Tensor, levels: number): IntegerWeights | undefined {
  const lowest = -Math.floor(levels / 2);
  const shape = broadcastShapes(outputLow.shape, outputHigh.shape);
  const [low, high] = [expandTensor(outputLow, shape), expandTensor(outputHigh, shape)];
  const scale = low.map((l, i) => (high[i]! - l) / (levels - 1));
  const zero = low.map((l, i) => (scale[i] === 0 ? 0 : snap(lowest - l / scale[i]!)));
  if (!scale.every(Number.isFinite) || scale.some((s, i) => s === 0 && low[i] !== 0)) return undefined;
  const values = toFloat64(real);
  const steps = expandValues(scale, shape, real.shape);
  const start = expandValues(low, shape, real.shape);
  for (let i = 0; i < values.length; i++) {
    const step = steps[i]!;
    values[i] = step === 0 ? 0 : Math.round((values[i]! - start[i]!) / step) + lowest;
  }
  if (values.some(Number.isNaN)) return undefined;
  return {
    values: pack(values, real.shape, levels <= 16 ? 'i4' : 'i8'),
    scale: fromFloat64(scale, shape, real.type),
    zeroPoint: zero.every((z) => z === 0) ? undefined : fromFloat64(zero, shape, real.type),
  };
}

function snap(zeroPoint: number): number {
  const nearest = Math.round(zeroPoint);
  return Math.abs(zeroPoint - nearest) < zeroPointNoise ? nearest + 0 : zeroPoint;
}

/** Integers as a tensor; two i4 a byte, the first in the low half. */
function pack(values: Float64Array, shape: Shape, type: 'i8' | 'i4'): Tensor {
  if (type === 'i8') return fromFloat64(values, shape, 'i8');
  const data = new Uint8Array(allocate('i4', values.length).buffer);
  for (let i = 0; i < values.length; i++) data[i >> 1]! |= (values[i]! & 15) << ((i & 1) * 4);
  return { type, shape: [...shape], data };
}

function replaceByIntegers(model: Model, node: Node, weights: IntegerWeights): void {
  const { name } = node;
  const type: ElementType = node.output.fact.type;
  const values = addConstant(model, `${name}/quantized`, weights.values);
  const widened = createNode(model, {
    type: 'Convert',
    name: `${name}/convert`,
    attributes: { destination_type: type },
    inputs: [values.output],
  });
  let data = widened;
  if (weights.zeroPoint) {
    const zero = addConstant(model, `${name}/zero_point`, weights.zeroPoint);
    data = createNode(model, { type: 'Subtract', name: `${name}/subtract`, inputs: [widened.output, zero.output] });
  }
  const scale = addConstant(model, `${name}/scale`, weights.scale);
  const product = createNode(model, { type: 'Multiply', name, inputs: [data.output, scale.output] });
  replaceOutput(node.output, product.output, { names: true });
  rename(model, node, `${name}/fake_quantize`);
  rename(model, product, name);
}
