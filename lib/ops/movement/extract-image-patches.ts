// ExtractImagePatches: the windows of an image as channels.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import type { Fact, Node, OutputPort } from '../../graph/node.ts';
import { elementCount, isStatic } from '../../tensor/shape.ts';
import { enumeration, intList } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import type { Expansion } from '../expansion.ts';
import { type Facts, factsOf, inputFact, requireRank } from '../fact.ts';
import { take } from './take.ts';

const attributes = z.object({
  sizes: intList,
  strides: intList,
  rates: intList,
  auto_pad: enumeration(['valid', 'same_upper', 'same_lower']),
});

type Attributes = z.infer<typeof attributes>;

/** Padding of an axis, and from the first element of its first window to that of its last one. */
interface Span {
  readonly begin: number;
  readonly end: number;
  readonly span: number;
}

/** Number of windows along one axis, and the padding in front of it. */
function windows(a: Attributes, axis: number, size: number): { count: number; begin: number } {
  const [kernel, stride, rate] = [a.sizes[axis]!, a.strides[axis]!, a.rates[axis]!];
  const reach = (kernel - 1) * rate + 1;
  if (size < 0) return { count: -1, begin: 0 };
  if (a.auto_pad === 'valid') return { count: Math.max(0, Math.floor((size - reach) / stride) + 1), begin: 0 };
  const count = Math.ceil(size / stride);
  const padding = Math.max(0, (count - 1) * stride + reach - size);
  return { count, begin: a.auto_pad === 'same_upper' ? Math.floor(padding / 2) : Math.ceil(padding / 2) };
}

function infer(a: Attributes, inputs: Facts): Fact[] {
  const { type, shape } = inputFact(inputs, 0);
  requireRank(shape, 4);
  for (const [name, list] of Object.entries({ sizes: a.sizes, strides: a.strides, rates: a.rates })) {
    if (list.length === 2 && list.every((v) => v >= 1)) continue;
    throw new LowpError('ERR_OP_ATTRIBUTE', `${name} = ${list.join(',')}, expected two positive numbers`);
  }
  const [n, c, h, w] = shape as [number, number, number, number];
  const depth = c < 0 ? -1 : c * a.sizes[0]! * a.sizes[1]!;
  return [{ type, shape: [n, depth, windows(a, 0, h).count, windows(a, 1, w).count] }];
}

/** Elements of a window beyond which the operation stays on the host: each one is a node and three constants. */
const mostSlices = 256;

/** A slice of the padded image for each element of a window, side by side. */
function expand(a: Attributes, node: Node, e: Expansion): readonly OutputPort[] | undefined {
  const { shape } = node.source(0)!.fact;
  const out = node.output.fact.shape;
  if (!isStatic(shape) || out.includes(0) || a.sizes[0]! * a.sizes[1]! > mostSlices) return undefined;
  const spatial = [0, 1].map((axis) => {
    const [size, count] = [shape[axis + 2]!, out[axis + 2]!];
    const { begin } = windows(a, axis, size);
    const reach = (count - 1) * a.strides[axis]! + (a.sizes[axis]! - 1) * a.rates[axis]! + 1;
    return { begin, end: Math.max(0, reach - begin - size), span: (count - 1) * a.strides[axis]! + 1 };
  }) as [Span, Span];
  const list = (values: readonly number[], name: string) => e.constant('i64', [values.length], values, name);
  const isPadded = spatial.some((s) => s.begin > 0 || s.end > 0);
  const ends = [
    list([0, 0, ...spatial.map((s) => s.begin)], 'begin'),
    list([0, 0, ...spatial.map((s) => s.end)], 'end'),
  ];
  const x = isPadded ? e.add('Pad', [node.source(0), ...ends], { pad_mode: 'constant' }, 'padded') : node.source(0)!;
  const [steps, axes] = [list(a.strides, 'steps'), list([2, 3], 'axes')];
  const slices: OutputPort[] = [];
  for (let row = 0; row < a.sizes[0]!; row++) {
    for (let column = 0; column < a.sizes[1]!; column++) {
      const first = [row * a.rates[0]!, column * a.rates[1]!];
      const name = `element_${row}_${column}`;
      const [from, to] = [
        list(first, `${name}/from`),
        list(
          first.map((at, i) => at + spatial[i]!.span),
          `${name}/to`,
        ),
      ];
      slices.push(e.add('Slice', [x, from, to, steps, axes], {}, name));
    }
  }
  return [e.concat(slices, 1, 'windows')];
}

/** `y[n, (row · width + column) · C + c, p, q]` is element `[row, column]` of window `[p, q]` of channel c; zero outside. */
export const extractImagePatches = defineOp({
  type: 'ExtractImagePatches',
  opset: 'opset3',
  attributes,
  inputs: [1, 1],
  infer,
  evaluate: (a, inputs) => {
    const x = inputs[0]!;
    const [{ shape }] = infer(a, factsOf(inputs)) as [Fact];
    const [, channels, height, width] = x.shape as [number, number, number, number];
    const [samples, depth, rows, columns] = shape as [number, number, number, number];
    const [top, left] = [windows(a, 0, height).begin, windows(a, 1, width).begin];
    const source = new Int32Array(elementCount(shape));
    let out = 0;
    for (let n = 0; n < samples; n++) {
      for (let d = 0; d < depth; d++) {
        const inside = Math.floor(d / channels);
        const plane = (n * channels + (d % channels)) * height * width;
        const [dy, dx] = [Math.floor(inside / a.sizes[1]!) * a.rates[0]!, (inside % a.sizes[1]!) * a.rates[1]!];
        for (let p = 0; p < rows; p++) {
          const y = p * a.strides[0]! - top + dy;
          for (let q = 0; q < columns; q++) {
            const at = q * a.strides[1]! - left + dx;
            const isInside = y >= 0 && y < height && at >= 0 && at < width;
            source[out++] = isInside ? plane + y * width + at : -1;
          }
        }
      }
    }
    return [take(x, shape, source)];
  },
  expand,
});
