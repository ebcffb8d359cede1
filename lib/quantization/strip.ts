// Takes the quantization out of a model: quantizers go, stored integers become floats again.
import { LowpError } from '../errors/lowp-error.ts';
import { addConstant, connect, replaceOutput } from '../graph/edit.ts';
import type { Model } from '../graph/model.ts';
import { constantOf, type Node, type OutputPort } from '../graph/node.ts';
import { mergeEqual } from '../graph/take-over.ts';
import { expandValues } from '../ops/broadcast.ts';
import { isQuantizedStorage } from '../ops/storage/half-precision.ts';
import { foldConstants } from '../passes/fold-constants.ts';
import { fromFloat64, toFloat64 } from '../tensor/convert.ts';
import { isFloat } from '../tensor/element-type.ts';
import { sameShape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { returnOutputName } from './output-names.ts';
import { removeQuantizer } from './remove.ts';
import { isConstant, isQuantizer, traitsOf } from './roles.ts';

/** A node that shows that the model is quantized: a quantizer, or an operation with weights stored as integers. */
export function findQuantized(model: Model): Node | undefined {
  return model.nodes().find((node) => isQuantizer(node) || hasIntegerWeights(node));
}

function hasIntegerWeights(node: Node): boolean {
  const port = traitsOf(node).weights?.port;
  let source = port === undefined ? undefined : node.source(port);
  while (source && !isConstant(source)) source = source.node.type === 'Parameter' ? undefined : source.node.source(0);
  return source !== undefined && isQuantizedStorage(source.fact.type);
}

/**
 * Makes a quantized model one of floats, in place: what a quantizer rounds takes its place, weights stored as integers
 * become the numbers that they stand for, weights stored as floats lose their scaling and no precision. Names of outputs
 * stay. Returns the number of quantizers and stored tensors that are gone.
 *
 * @throws {LowpError} `ERR_ALGO_ALREADY_QUANTIZED` for a quantizer of computed values that also maps them to another range
 */
export function stripQuantization(model: Model): number {
  let count = 0;
  for (const node of model.nodes()) {
    if (!isQuantizer(node)) continue;
    const value = isConstant(node.source(0)) ? constantOf(node.source(0)) : undefined;
    if (value && isFloat(value.type) && !sameLimits(node)) rescale(model, node, value);
    else if (dependsOnConstants(node.source(0)!)) continue;
    else if (!sameLimits(node)) throw mapsValues(node);
    drop(model, node);
    count++;
  }
  return count + foldConstants({ quantized: true, limitBytes: Number.POSITIVE_INFINITY }).run(model, {});
}

function dependsOnConstants(port: OutputPort): boolean {
  if (port.node.type === 'Parameter') return false;
  if (isConstant(port)) return !isFloat(port.fact.type);
  return port.node.inputs.every((i) => !i.source || isConstant(i.source) || dependsOnConstants(i.source));
}

/** Output limits are the input limits: real values keep their size. */
function sameLimits(quantizer: Node): boolean {
  const [, il, ih, ol, oh] = quantizer.inputs.map((i) => i.source);
  return same(il, ol) && same(ih, oh);
}

function same(a: OutputPort | undefined, b: OutputPort | undefined): boolean {
  if (a === b) return true;
  const [x, y] = [constantOf(a), constantOf(b)];
  if (!x || !y || !sameShape(x.shape, y.shape)) return false;
  const [p, q] = [toFloat64(x), toFloat64(y)];
  return p.every((v, i) => v === q[i]);
}

/** `(w − il) · (oh − ol) / (ih − il) + ol`: what the quantizer gives, without rounding. */
function rescale(model: Model, quantizer: Node, value: Tensor): void {
  const limits = [1, 2, 3, 4].map((i) => constantOf(quantizer.source(i)));
  if (!limits.every((l) => l !== undefined)) throw mapsValues(quantizer);
  const [il, ih, ol, oh] = limits.map((l) => expandValues(toFloat64(l), l.shape, value.shape));
  const values = toFloat64(value).map((w, i) => ((w - il![i]!) * (oh![i]! - ol![i]!)) / (ih![i]! - il![i]!) + ol![i]!);
  const source = quantizer.source(0)!.node;
  const scaled = addConstant(model, source.name, fromFloat64(values, value.shape, value.type), source.notes);
  connect(quantizer.inputs[0]!, scaled.output);
}

function drop(model: Model, quantizer: Node): void {
  const source = quantizer.source(0)!;
  const hasNames = returnOutputName(model, quantizer) || mergeEqual(quantizer.output, source);
  if (!hasNames) replaceOutput(quantizer.output, source, { names: true });
  removeQuantizer(model, quantizer);
}

function mapsValues(quantizer: Node): LowpError {
  return new LowpError(
    'ERR_ALGO_ALREADY_QUANTIZED',
    `the FakeQuantize '${quantizer.name}' maps its values to another range, so it cannot be taken out`,
    { node: quantizer.name, help: 'Start from the floating-point model.' },
  );
}
