// PriorBox, both revisions: default boxes of an SSD, by sizes and aspect ratios.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import { bool, float, floatList } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import { type CellBox, type GridSizes, inferPriors, type PriorGrid, sizesOf, writePriors } from './prior-grid.ts';

/** One number counts for all four coordinates. */
export const varianceList = floatList
  .refine((v) => v.length === 0 || v.length === 1 || v.length === 4, 'none, one or four numbers are expected')
  .default([]);

const attributes = z.object({
  min_size: floatList.default([]),
  max_size: floatList.default([]),
  aspect_ratio: floatList.default([]),
  density: floatList.default([]),
  fixed_ratio: floatList.default([]),
  fixed_size: floatList.default([]),
  clip: bool.default(false),
  /** Every ratio is used upside down, too. */
  flip: bool.default(false),
  /** Pixels from one cell to the next; 0: the image divided by the grid. */
  step: float.default(0),
  offset: float,
  variance: varianceList,
  /** False: sizes and step are shares of the image's height, and ratios apply to the first size only. */
  scale_all_sizes: bool.default(true),
});

const orderedAttributes = attributes.extend({
  /** Order in a cell: smallest, largest, ratios; false: smallest, ratios, largest. */
  min_max_aspect_ratios_order: bool.default(true),
});

type Attributes = z.infer<typeof attributes> & { min_max_aspect_ratios_order?: boolean };

/** Ratios that differ by less are the same. */
const sameRatio = 1e-6;

function ratiosOf(a: Attributes): number[] {
  const ratios = [1];
  for (const ratio of a.aspect_ratio) {
    if (!(ratio > 0)) throw new LowpError('ERR_OP_ATTRIBUTE', `the aspect ratio ${ratio} is not positive`);
    if (ratios.some((r) => Math.abs(r - ratio) < sameRatio)) continue;
    ratios.push(ratio);
    if (a.flip) ratios.push(1 / ratio);
  }
  return ratios;
}

function square(size: number): CellBox {
  return { dx: 0, dy: 0, halfWidth: size / 2, halfHeight: size / 2 };
}

/** `width = size · √ratio`, `height = size / √ratio`. */
function stretched(size: number, ratio: number): CellBox {
  const root = Math.sqrt(ratio);
  return { dx: 0, dy: 0, halfWidth: (size / 2) * root, halfHeight: size / 2 / root };
}

/** Boxes of a fixed size, `density` by `density` of them spread over the cell's own box. */
function denseBoxes(a: Attributes, ratios: readonly number[]): CellBox[] {
  return a.fixed_size.flatMap((size, s) => {
    const density = Math.trunc(a.density[s] ?? 0);
    if (density < 1) throw new LowpError('ERR_OP_ATTRIBUTE', `fixed_size ${size} has no density of at least 1`);
    const whole = Math.trunc(size);
    const shift = Math.trunc(size / density);
    const first = -Math.floor(whole / 2) + shift / 2;
    const shapes =
      a.fixed_ratio.length > 0
        ? a.fixed_ratio.map((r) => stretched(size, r))
        : ratios.map((r) => (Math.abs(r - 1) < sameRatio ? square(whole) : stretched(size, r)));
    return shapes.flatMap((shape) =>
      Array.from({ length: density * density }, (_, i) => ({
        ...shape,
        dx: first + (i % density) * shift,
        dy: first + Math.floor(i / density) * shift,
        clip: true,
      })),
    );
  });
}

/** Boxes of one cell, in the order of the output; `unit` is what one of `min_size` measures in pixels. */
function boxesOf(a: Attributes, unit: number): CellBox[] {
  const ratios = ratiosOf(a);
  const boxes = denseBoxes(a, ratios);
  const sizes = a.min_size.map((size) => size * unit);
  for (const [i, size] of sizes.entries()) {
    const isLast = i === sizes.length - 1;
    const others = ratios.filter((r) => Math.abs(r - 1) >= sameRatio);
    const rest =
      a.scale_all_sizes || isLast ? others.map((r) => stretched(a.scale_all_sizes ? size : sizes[0]!, r)) : [];
    const largest = a.scale_all_sizes && i < a.max_size.length ? [square(Math.sqrt(size * a.max_size[i]!))] : [];
    const inOrder = a.min_max_aspect_ratios_order !== false;
    boxes.push(square(size), ...(inOrder ? [...largest, ...rest] : [...rest, ...largest]));
  }
  return boxes;
}

function gridOf(a: Attributes, { grid, image }: GridSizes): PriorGrid {
  const perImage = !a.scale_all_sizes;
  const step = perImage ? (a.step === -1 ? image[0] / grid[0] : a.step * image[0]) : a.step;
  const steps = step === 0 ? ([image[1] / grid[1], image[0] / grid[0]] as const) : ([step, step] as const);
  const offset = step === 0 ? 0.5 : a.offset;
  return {
    boxes: boxesOf(a, perImage ? image[0] : 1),
    start: [offset * steps[0], offset * steps[1]],
    step: steps,
    clip: a.clip,
    variance: a.variance,
  };
}

const common = { type: 'PriorBox', inputs: [2, 2] as [number, number] };

/**
 * Default boxes around every cell of a feature map. Inputs: [height, width] of the grid and of the image. Output f32
 * [2, 4 · H · W · boxes]: corners as shares of the image, then variances.
 */
export const priorBox1 = defineOp({
  ...common,
  opset: 'opset1',
  attributes,
  infer: (a, inputs) => inferPriors(inputs, boxesOf(a, 1).length),
  evaluate: (a, inputs) => [writePriors(gridOf(a, sizesOf(inputs)), sizesOf(inputs))],
});

/** PriorBox with a choice of the order in a cell. */
export const priorBox8 = defineOp({
  ...common,
  opset: 'opset8',
  attributes: orderedAttributes,
  infer: (a, inputs) => inferPriors(inputs, boxesOf(a, 1).length),
  evaluate: (a, inputs) => [writePriors(gridOf(a, sizesOf(inputs)), sizesOf(inputs))],
});
