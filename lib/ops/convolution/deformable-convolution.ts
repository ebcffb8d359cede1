// DeformableConvolution, both revisions: a convolution whose taps are moved by offsets that are computed.
import type * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import type { Node, OutputPort } from '../../graph/node.ts';
import { fromFloat64, toFloat64 } from '../../tensor/convert.ts';
import { elementCount, formatShape, isStatic } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { bool, int } from '../attribute.ts';
import { defineOp, type OpDef } from '../define-op.ts';
import type { Expansion } from '../expansion.ts';
import { commonType, type Facts, factsOf, factsOfNode, inputFact, requireRank } from '../fact.ts';
import { resolveWindow } from '../window.ts';
import { type ColumnAttributes, columnRows } from './deformable-columns.ts';
import { convolutionAttributes } from './geometry.ts';

const attributes = convolutionAttributes.extend({
  group: int.default(1),
  deformable_group: int.default(1),
  /** Positions up to one element outside of the image are mixed with zeros; else they count as zero. */
  bilinear_interpolation_pad: bool.default(false),
});

type Attributes = z.infer<typeof attributes>;

function geometry(a: Attributes, inputs: Facts) {
  const [x, offsets, w] = [inputFact(inputs, 0), inputFact(inputs, 1), inputFact(inputs, 2)];
  for (const fact of [x, offsets, w]) requireRank(fact.shape, 4);
  const window = resolveWindow(a, x.shape.slice(2), w.shape.slice(2));
  const taps = elementCount(w.shape.slice(2));
  const fits = (have: number, want: number): boolean => have < 0 || want < 0 || have === want;
  const [channels, outputs] = [x.shape[1]!, w.shape[0]!];
  const misfit =
    !fits(channels, w.shape[1]! * a.group) ||
    !fits(offsets.shape[1]!, 2 * taps * a.deformable_group) ||
    (inputs[3] && !fits(inputs[3].shape[1]!, taps * a.deformable_group)) ||
    outputs % a.group !== 0 ||
    (channels >= 0 && channels % a.deformable_group !== 0) ||
    !offsets.shape.slice(2).every((d, i) => fits(d, window.output[i]!));
  if (misfit) {
    const [data, moved, weights] = [x, offsets, w].map((f) => formatShape(f.shape));
    throw new LowpError('ERR_SHAPE_MISMATCH', `data ${data}, offsets ${moved} and weights ${weights} do not fit`);
  }
  return { window, taps, type: commonType(x, offsets, w), shape: [x.shape[0]!, outputs, ...window.output] };
}

/** The operation that reads between the elements, for the same windows. */
function columnsOf(a: Attributes, inputs: Facts): ColumnAttributes {
  const { window } = geometry(a, inputs);
  const { kernel, strides, dilations, padsBegin: pads_begin, output } = window;
  const { deformable_group, bilinear_interpolation_pad } = a;
  return {
    ...{ kernel: [...kernel], strides: [...strides], dilations: [...dilations] },
    ...{ pads_begin: [...pads_begin], output: [...output], deformable_group, bilinear_interpolation_pad },
  };
}

function convolve(a: Attributes, inputs: readonly Tensor[]): Tensor {
  const facts = factsOf(inputs);
  const { taps, type, shape } = geometry(a, facts);
  const rowOf = columnRows(columnsOf(a, facts), inputs[0]!, inputs[1]!, inputs[3]);
  const weights = toFloat64(inputs[2]!);
  const [batch, outputs, rows, columns] = shape as [number, number, number, number];
  const [channels, area] = [inputs[0]!.shape[1]!, rows * columns];
  const perGroup = channels / a.group;
  const samples = new Float64Array(channels * taps);
  const out = new Float64Array(elementCount(shape));
  for (let place = 0; place < batch * area; place++) {
    const [n, at] = [Math.floor(place / area), place % area];
    rowOf(place, samples);
    for (let o = 0; o < outputs; o++) {
      const first = Math.floor((o * a.group) / outputs) * perGroup;
      let sum = 0;
      for (let c = 0; c < perGroup; c++) {
        for (let k = 0; k < taps; k++)
          sum += weights[(o * perGroup + c) * taps + k]! * samples[k * channels + first + c]!;
      }
      out[(n * outputs + o) * area + at] = sum;
    }
  }
  return fromFloat64(out, shape, type);
}

/** What the taps read, and its product with the weights: one for each group. */
function expand(a: Attributes, node: Node, e: Expansion): readonly OutputPort[] | undefined {
  const facts = factsOfNode(node);
  if (facts.some((fact) => fact && (fact.type !== 'f32' || !isStatic(fact.shape)))) return undefined;
  const { taps, shape } = geometry(a, facts);
  const [x, offsets, weights, mask] = [0, 1, 2, 3].map((i) => node.source(i));
  const [batch, outputs, ...spatial] = shape as [number, number, number, number];
  const [kernel, area, perGroup] = [weights!.fact.shape.slice(2), elementCount(spatial), weights!.fact.shape[1]!];
  const places = batch * area;
  const columns = e.add('DeformableColumns', mask ? [x, offsets, mask] : [x, offsets], columnsOf(a, facts), 'columns');
  const parts = e.reshape(columns, [places, taps, a.group, perGroup], 'parts');
  const left = e.reshape(e.transpose(parts, [2, 0, 1, 3], 'groups'), [a.group, places, taps * perGroup], 'rows');
  const split = e.reshape(weights!, [a.group, outputs / a.group, perGroup, ...kernel], 'weights');
  const right = e.reshape(
    e.transpose(split, [0, 3, 4, 2, 1], 'taps'),
    [a.group, taps * perGroup, outputs / a.group],
    'matrix',
  );
  const product =
    a.group === 1
      ? e.add('MatMul', [columns, e.reshape(right, [taps * perGroup, outputs], 'whole')], untransposed, 'product')
      : e.transpose(e.add('MatMul', [left, right], untransposed, 'products'), [1, 0, 2], 'outputs');
  const samples = e.reshape(product, [batch, area, outputs], 'samples');
  return [e.reshape(e.transpose(samples, [0, 2, 1], 'channels'), shape, 'image')];
}

const untransposed = { transpose_a: false, transpose_b: false };

/**
 * `y[n, o, p] = Σ_c Σ_k w[o, c, k] · mask[n, k, p] · x(n, c, p · stride − pad + k · dilation + offset[n, k, p])`, x read
 * between its elements. Inputs: x `[N, C, H, W]`, offsets `[N, 2 · taps · deformable groups, out…]` as (y, x) pairs,
 * weights `[O, C / group, kernel…]`, since revision 8 an optional mask `[N, taps · deformable groups, out…]`.
 */
function define(opset: string, most: number): OpDef {
  return defineOp({
    type: 'DeformableConvolution',
    opset,
    attributes,
    inputs: [3, most],
    infer: (a, inputs) => {
      const { type, shape } = geometry(a, inputs);
      return [{ type, shape }];
    },
    evaluate: (a, inputs) => [convolve(a, inputs)],
    expand,
    expandsToOwn: true,
  });
}

export const deformableConvolution: readonly OpDef[] = [define('opset1', 3), define('opset8', 4)];
