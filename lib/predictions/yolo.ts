// Boxes of YOLO heads without anchors.
import * as z from 'zod';
import { LowpError } from '../errors/lowp-error.ts';
import { boxTensor, type Detection, detectionOptions, inputSize, suppress } from './detections.ts';
import { matrixOf, pickOutput } from './outputs.ts';
import { definePostprocessor } from './postprocessor.ts';

/**
 * One row for each candidate: `cx, cy, w, h, [objectness,] class scores`, as detectors of the YOLO family give them. With
 * `strides` the rows belong to the cells of grids of those strides, in that order, row by row, and are decoded as YOLOX's:
 * `cx = (x + column)·stride, w = exp(w)·stride`. The score of a box is its objectness times its largest class score.
 */
export const yolo = definePostprocessor({
  name: 'yolo',
  summary: 'rows of cx, cy, w, h, objectness, class scores become boxes (YOLOX with strides, YOLOv5 and v8 without)',
  options: z.strictObject({
    output: z.string().optional(),
    strides: z.array(z.number().int().min(1)).optional().describe('of the grids of undecoded outputs'),
    objectness: z.boolean().default(true).describe('false for outputs without that column (YOLOv8)'),
    transposed: z.boolean().default(false).describe('candidates are columns (YOLOv8)'),
    leastObjectness: z.number().min(0).default(0),
    ...detectionOptions,
  }),
  create: (options) => (outputs, sample) => {
    const first = options.objectness ? 5 : 4;
    const t = pickOutput(outputs, options.output, 'yolo');
    const table = matrixOf(t, options.transposed ? 1 : first + 1, 'yolo');
    const [count, width] = options.transposed ? [table.columns, table.rows] : [table.rows, table.columns];
    const at = (i: number, c: number): number =>
      table.values[options.transposed ? c * table.columns + i : i * table.columns + c]!;
    const cells = options.strides && gridCells(options.strides, inputSize(sample, 'yolo'), count);
    const boxes: Detection[] = [];
    for (let i = 0; i < count; i++) {
      const objectness = options.objectness ? at(i, 4) : 1;
      if (objectness < options.leastObjectness) continue;
      let category = 0;
      for (let c = 1; c < width - first; c++) if (at(i, first + c) > at(i, first + category)) category = c;
      const score = objectness * at(i, first + category);
      if (!(score > options.score)) continue;
      boxes.push({ ...corners([at(i, 0), at(i, 1), at(i, 2), at(i, 3)], cells?.[i]), score, category });
    }
    return { boxes: boxTensor(suppress(boxes, options.nms, options.keep), sample) };
  },
});

interface Cell {
  readonly x: number;
  readonly y: number;
  readonly stride: number;
}

function corners([cx, cy, w, h]: readonly [number, number, number, number], cell: Cell | undefined) {
  const [x, y] = cell ? [(cx + cell.x) * cell.stride, (cy + cell.y) * cell.stride] : [cx, cy];
  const [width, height] = cell ? [Math.exp(w) * cell.stride, Math.exp(h) * cell.stride] : [w, h];
  return { x1: x - width / 2, y1: y - height / 2, x2: x + width / 2, y2: y + height / 2 };
}

/** @throws {LowpError} `ERR_CONFIG_INVALID` when the grids have another number of cells */
function gridCells(
  strides: readonly number[],
  size: { readonly width: number; readonly height: number },
  count: number,
): Cell[] {
  const cells = strides.flatMap((stride) => {
    const columns = Math.floor(size.width / stride);
    const rows = Math.floor(size.height / stride);
    return Array.from({ length: rows * columns }, (_, i) => ({ x: i % columns, y: Math.floor(i / columns), stride }));
  });
  if (cells.length === count) return cells;
  throw new LowpError(
    'ERR_CONFIG_INVALID',
    `postprocess yolo: the strides ${strides.join(', ')} give ${cells.length} cells, the output has ${count} rows`,
  );
}
