// PriorBoxClustered: default boxes with a list of widths and heights of their own.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import { bool, float, floatList } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import { varianceList } from './prior-box.ts';
import { type CellBox, type GridSizes, inferPriors, type PriorGrid, sizesOf, writePriors } from './prior-grid.ts';

const attributes = z.object({
  width: floatList.default([1]),
  height: floatList.default([1]),
  clip: bool.default(true),
  /** Pixels from one cell to the next along both axes, where step_w or step_h is 0. */
  step: float.default(0),
  step_w: float.default(0),
  step_h: float.default(0),
  offset: float,
  variance: varianceList,
});

type Attributes = z.infer<typeof attributes>;

function boxesOf(a: Attributes): CellBox[] {
  if (a.width.length !== a.height.length) {
    throw new LowpError('ERR_OP_ATTRIBUTE', `there are ${a.width.length} widths and ${a.height.length} heights`);
  }
  return a.width.map((width, i) => ({ dx: 0, dy: 0, halfWidth: width / 2, halfHeight: a.height[i]! / 2 }));
}

function gridOf(a: Attributes, { grid, image }: GridSizes): PriorGrid {
  const [x, y] = [a.step_w || a.step, a.step_h || a.step];
  const step = x === 0 && y === 0 ? ([image[1] / grid[1], image[0] / grid[0]] as const) : ([x, y] as const);
  const start = [a.offset * step[0], a.offset * step[1]] as const;
  return { boxes: boxesOf(a), start, step, clip: a.clip, variance: a.variance };
}

/** Default boxes like those of PriorBox; the boxes of a cell are (width[i], height[i]) in pixels. */
export const priorBoxClustered = defineOp({
  type: 'PriorBoxClustered',
  opset: 'opset1',
  attributes,
  inputs: [2, 2],
  infer: (a, inputs) => inferPriors(inputs, boxesOf(a).length),
  evaluate: (a, inputs) => [writePriors(gridOf(a, sizesOf(inputs)), sizesOf(inputs))],
});
