/** Convolutions: weights in ONNX's layout, a constant bias behind taken into the node. */
import type { OutputPort } from '../../../graph/node.ts';
import { type Shape, sameShape } from '../../../tensor/shape.ts';
import { tensor } from '../../../tensor/tensor.ts';
import type { AttributeValue } from '../build.ts';
import { biasInput, biasOf, productScales, reachesQuantizer } from './bias.ts';
import { bigints, type ExporterTable, type ExportNode } from './export-node.ts';
import { dequantizedWeights } from './stored-weights.ts';

export const convolutionExporters: ExporterTable = {
  Convolution: (e) => finishWithBias(e, 'Conv', plainWeights(e), window(e)),
  GroupConvolution: (e) => finishWithBias(e, 'Conv', mergedWeights(e), { ...window(e), ...groups(e) }),
  ConvolutionBackpropData: (e) => finishWithBias(e, 'ConvTranspose', plainWeights(e), transposedWindow(e, 2)),
  GroupConvolutionBackpropData: (e) =>
    finishWithBias(e, 'ConvTranspose', mergedWeights(e), { ...transposedWindow(e, 3), ...groups(e) }),
};

type Attributes = Record<string, AttributeValue>;

/** Weights as they are in ONNX: groups are not an axis of their own. */
interface Weights {
  readonly name: string;
  readonly shape: Shape;
}

function finishWithBias(e: ExportNode, opType: string, weights: Weights, attributes: Attributes): void {
  const fused = biasOf(e.node, 1);
  if (!fused) {
    e.finish(opType, [e.input(0), weights.name], attributes);
    return;
  }
  const inIntegers = opType === 'Conv' && reachesQuantizer(e, fused.add.output);
  const scales = inIntegers ? productScales(e, weights.shape, 0) : undefined;
  e.finish(opType, [e.input(0), weights.name, biasInput(e, fused.bias, scales)], attributes, [fused.add.output]);
}

function plainWeights(e: ExportNode): Weights {
  return { name: e.input(1), shape: e.shape(1) };
}

function groups(e: ExportNode): Attributes {
  return { group: BigInt(e.shape(1)[0]!) };
}

/** `[G, a, b, k…]` → `[G · a, b, k…]`. */
function mergedWeights(e: ExportNode): Weights {
  const port = e.port(1);
  const [count, first, ...rest] = port.fact.shape;
  const shape = [count! * first!, ...rest];
  if (shape.some((d) => d < 0)) e.unsupported('its weights have a dynamic shape');
  return { name: mergedName(e, port, shape), shape };
}

function mergedName(e: ExportNode, port: OutputPort, shape: Shape): string {
  const { node } = port;
  const value = node.type === 'Constant' ? port.fact.value : undefined;
  if (value) return e.constant(tensor(value.type, shape, value.data), 'weights');
  const before = node.type === 'Reshape' ? node.source(0) : undefined;
  if (before && sameShape(before.fact.shape, shape)) return e.writer.nameOf(before);
  const stored = dequantizedWeights(e, node, shape);
  if (stored !== undefined) return stored;
  return e.step('Reshape', [e.input(1), e.int64s(shape, 'weights/shape')], 'weights');
}

function window(e: ExportNode): Attributes {
  const spatial = e.shape(0).length - 2;
  const padding = e.text('auto_pad');
  const attributes = steps(e, spatial);
  if (padding === 'same_upper' || padding === 'same_lower') return { ...attributes, auto_pad: padding.toUpperCase() };
  const pads = [...filled(e.ints('pads_begin'), spatial, 0), ...filled(e.ints('pads_end'), spatial, 0)];
  if (pads.some((p) => p < 0)) e.unsupported('negative padding');
  return padding === 'valid' ? attributes : { ...attributes, pads: bigints(pads) };
}

function steps(e: ExportNode, spatial: number): Attributes {
  return {
    strides: bigints(filled(e.ints('strides'), spatial, 1)),
    dilations: bigints(filled(e.ints('dilations'), spatial, 1)),
  };
}

function filled(values: readonly number[], count: number, fill: number): readonly number[] {
  return values.length === 0 ? new Array<number>(count).fill(fill) : values;
}

/**
 * Explicit pads. With wanted output sizes the excess `total = stride · (in - 1) + span + output_padding - wanted` is cut,
 * its odd element at the begin for `same_upper`; without a rule the given pads stay and the rest is added at the end.
 */
function transposedWindow(e: ExportNode, kernelAxis: number): Attributes {
  const spatial = e.shape(0).length - 2;
  const rule = e.text('auto_pad');
  const explicit = rule === 'explicit' || rule === 'notset';
  const begin = [...filled(explicit ? e.ints('pads_begin') : [], spatial, 0)];
  const end = [...filled(explicit ? e.ints('pads_end') : [], spatial, 0)];
  const extra = [...filled(e.ints('output_padding'), spatial, 0)];
  const strides = filled(e.ints('strides'), spatial, 1);
  const dilations = filled(e.ints('dilations'), spatial, 1);
  const wanted = e.node.source(2) ? e.knownInts(2, 'output shape') : [];
  for (const [i, size] of wanted.entries()) {
    const input = e.shape(0)[i + 2]!;
    if (input < 0) e.unsupported('an output shape for a dynamic input');
    const span = (e.shape(1)[i + kernelAxis]! - 1) * dilations[i]! + 1;
    const excess = strides[i]! * (input - 1) + span + extra[i]! - size;
    if (rule === 'same_upper' || rule === 'same_lower') {
      const total = Math.max(0, excess);
      begin[i] = rule === 'same_upper' ? Math.ceil(total / 2) : Math.floor(total / 2);
      end[i] = total - begin[i]!;
    }
    extra[i] = extra[i]! - (excess - begin[i]! - end[i]!);
    if (extra[i]! < 0) e.unsupported('an output shape that its padding does not give');
  }
  return { ...steps(e, spatial), pads: bigints([...begin, ...end]), output_padding: bigints(extra) };
}
