/** Conv and ConvTranspose. */
import type { OutputPort } from '../../../graph/node.ts';
import { formatShape } from '../../../tensor/shape.ts';
import type { ImporterTable, ImportNode } from './import-node.ts';
import { readSizes, readWindow, spatialRank, type Window } from './window.ts';

export const convolutionImporters: ImporterTable = {
  Conv: conv,
  ConvTranspose: convTranspose,
  DeformConv: deformConv,
  Col2Im: col2Im,
};

function conv(n: ImportNode): OutputPort[] {
  return [convolved(n, n.input(0), n.input(1), n.optional(2))];
}

/** A convolution with the attributes of the node. */
export function convolved(n: ImportNode, x: OutputPort, w: OutputPort, bias: OutputPort | undefined): OutputPort {
  const spatial = spatialRank(n);
  const weights = checkWeights(n, w, spatial);
  const window = readWindow(n, spatial);
  const groups = readGroups(n, weights[0]!);
  const name = bias ? { suffix: 'WithoutBiases' } : {};
  if (groups === 1) return withBias(n, n.add('Convolution', { ...window }, [x, w], name), bias);
  const split = [groups, weights[0]! / groups, ...weights.slice(1)];
  const grouped = n.reshaped(w, split, 'weights');
  return withBias(n, n.add('GroupConvolution', { ...window }, [x, grouped], name), bias);
}

/** Inputs: data, weights, offsets, optional bias and mask. */
function deformConv(n: ImportNode): OutputPort[] {
  const weights = checkWeights(n, n.input(1), spatialRank(n));
  const attributes = {
    ...readWindow(n, 2),
    group: readGroups(n, weights[0]!),
    deformable_group: n.attributes.int('offset_group') ?? 1,
    bilinear_interpolation_pad: true,
  };
  const mask = n.optional(4);
  const inputs = [n.input(0), n.input(2), n.input(1), ...(mask ? [mask] : [])];
  const product = n.add('DeformableConvolution', attributes, inputs, n.optional(3) ? { suffix: 'WithoutBiases' } : {});
  return [withBias(n, product, n.optional(3))];
}

/** Inputs: columns, size of the image, size of the kernel. */
function col2Im(n: ImportNode): OutputPort[] {
  const spatial = n.input(1).fact.shape[0] ?? 0;
  const { strides, dilations, pads_begin, pads_end } = readWindow(n, spatial);
  return [n.add('Col2Im', { strides, dilations, pads_begin, pads_end }, n.allInputs())];
}

function convTranspose(n: ImportNode): OutputPort[] {
  const spatial = spatialRank(n);
  const weights = checkWeights(n, n.input(1), spatial);
  const groups = readGroups(n, weights[0]!);
  const attributes = transposeWindow(n, spatial, weights.slice(2));
  const name = n.optional(2) ? { suffix: 'WithoutBiases' } : {};
  if (groups === 1) {
    return [withBias(n, n.add('ConvolutionBackpropData', attributes, [n.input(0), n.input(1)], name), n.optional(2))];
  }
  const split = [groups, weights[0]! / groups, ...weights.slice(1)];
  const grouped = n.reshaped(n.input(1), split, 'weights');
  return [withBias(n, n.add('GroupConvolutionBackpropData', attributes, [n.input(0), grouped], name), n.optional(2))];
}

/** Shape of the weights, once its rank fits the input and `kernel_shape`. */
function checkWeights(n: ImportNode, w: OutputPort, spatial: number): readonly number[] {
  const { shape } = w.fact;
  if (shape.length !== spatial + 2) {
    n.invalid(`its weights ${formatShape(shape)} have rank ${shape.length}, its input has rank ${spatial + 2}`);
  }
  if (shape.some((d) => d < 0)) n.unsupported('its weights have a dynamic shape');
  if (shape.some((d) => d === 0)) n.invalid(`its weights ${formatShape(shape)} are empty`);
  const kernel = readSizes(n, 'kernel_shape', spatial, 1);
  if (kernel?.some((k, i) => k !== shape[i + 2])) {
    n.attributes.fail('kernel_shape', `is ${kernel.join(',')}, its weights are ${formatShape(shape)}`);
  }
  return shape;
}

function readGroups(n: ImportNode, channels: number): number {
  const groups = n.attributes.int('group') ?? 1;
  if (groups < 1 || channels % groups !== 0) {
    n.attributes.fail('group', `is ${groups}, expected a divisor of ${channels} channels`);
  }
  return groups;
}

function withBias(n: ImportNode, product: OutputPort, bias: OutputPort | undefined): OutputPort {
  if (!bias) return product;
  const { shape } = product.fact;
  const channels = shape[1]!;
  if (bias.fact.shape.length !== 1 || bias.fact.shape[0] !== channels) {
    n.invalid(`its bias is ${formatShape(bias.fact.shape)}, expected ${channels} elements`);
  }
  const column = shape.map((_, i) => (i === 1 ? channels : 1));
  return n.add('Add', {}, [product, n.reshaped(bias, column, 'bias')]);
}

/**
 * Geometry of a transposed convolution with explicit pads. Without `output_shape`, SAME pads ask for
 * `input · stride` elements; the excess of the full size is cut off, the odd one at the end for SAME_UPPER and for
 * `output_shape` alone, at the begin for SAME_LOWER.
 */
function transposeWindow(n: ImportNode, spatial: number, kernel: readonly number[]): Record<string, unknown> {
  const window = readWindow(n, spatial);
  const outputPadding = readSizes(n, 'output_padding', spatial, 0) ?? new Array<number>(spatial).fill(0);
  const wanted = wantedSizes(n, spatial, window);
  if (!wanted) return { ...window, auto_pad: 'explicit', output_padding: outputPadding };
  const begin: number[] = [];
  const end: number[] = [];
  for (let i = 0; i < spatial; i++) {
    const input = n.input(0).fact.shape[i + 2]!;
    const span = (kernel[i]! - 1) * window.dilations[i]! + 1;
    const excess = (input - 1) * window.strides[i]! + span + outputPadding[i]! - wanted[i]!;
    const total = Math.max(0, excess);
    outputPadding[i] = outputPadding[i]! + Math.max(0, -excess);
    const small = Math.floor(total / 2);
    begin.push(window.auto_pad === 'same_lower' ? total - small : small);
    end.push(window.auto_pad === 'same_lower' ? small : total - small);
  }
  return { ...window, pads_begin: begin, pads_end: end, auto_pad: 'explicit', output_padding: outputPadding };
}

function wantedSizes(n: ImportNode, spatial: number, window: Window): number[] | undefined {
  const given = n.attributes.ints('output_shape');
  const same = window.auto_pad === 'same_upper' || window.auto_pad === 'same_lower';
  if (!given && !same) return undefined;
  const sizes = n.input(0).fact.shape.slice(2);
  if (sizes.some((d) => d < 0)) n.unsupported('its padding depends on dynamic spatial sizes');
  if (!given) return sizes.map((d, i) => d * window.strides[i]!);
  const shape = given.length === spatial + 2 ? given.slice(2) : given;
  if (shape.length !== spatial || shape.some((d) => d < 1)) {
    n.attributes.fail('output_shape', `is ${given.join(',')}, expected ${spatial} positive sizes`);
  }
  return shape;
}
