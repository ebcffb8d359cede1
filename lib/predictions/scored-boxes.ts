// Boxes and scores in tensors of their own.
import * as z from 'zod';
import { LowpError } from '../errors/lowp-error.ts';
import { boxTensor, type Detection, detectionOptions, inputSize, suppress } from './detections.ts';
import { matrixOf, pickOutput } from './outputs.ts';
import { definePostprocessor } from './postprocessor.ts';

/** Class scores `[1, n, classes]` and corners `[1, n, 4]` as fractions of width and height, as SSD-like detectors give them. */
export const scoredBoxes = definePostprocessor({
  name: 'scored-boxes',
  summary: 'an output of class scores and one of corners as fractions of the image become boxes (SSD)',
  options: z.strictObject({
    scores: z.string().describe('output with the scores'),
    boxes: z.string().describe('output with x1, y1, x2, y2'),
    background: z.number().int().min(0).optional().describe('class that is no object'),
    ...detectionOptions,
  }),
  create: (options) => (outputs, sample) => {
    const scores = matrixOf(pickOutput(outputs, options.scores, 'scored-boxes'), 1, 'scored-boxes');
    const corners = matrixOf(pickOutput(outputs, options.boxes, 'scored-boxes'), 4, 'scored-boxes');
    if (scores.rows !== corners.rows) {
      const text = `postprocess scored-boxes: ${scores.rows} rows of scores, ${corners.rows} boxes`;
      throw new LowpError('ERR_CONFIG_INVALID', text);
    }
    const { width, height } = inputSize(sample, 'scored-boxes');
    const found: Detection[] = [];
    for (let i = 0; i < scores.rows; i++) {
      const at = (c: number): number => corners.values[i * corners.columns + c]!;
      for (let category = 0; category < scores.columns; category++) {
        const score = scores.values[i * scores.columns + category]!;
        if (category === options.background || !(score > options.score)) continue;
        found.push({ x1: at(0) * width, y1: at(1) * height, x2: at(2) * width, y2: at(3) * height, score, category });
      }
    }
    return { boxes: boxTensor(suppress(found, options.nms, options.keep), sample) };
  },
});
