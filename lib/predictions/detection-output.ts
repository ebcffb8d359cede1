// Boxes in the form of DetectionOutput.
import * as z from 'zod';
import { boxTensor, type Detection, inputSize } from './detections.ts';
import { matrixOf, pickOutput } from './outputs.ts';
import { definePostprocessor } from './postprocessor.ts';

/**
 * Rows `image, class, score, x1, y1, x2, y2` with corners as fractions of the image: the result of the operation
 * DetectionOutput. A negative image ends the list.
 */
export const detectionOutput = definePostprocessor({
  name: 'detection-output',
  summary: 'the rows of DetectionOutput become boxes',
  options: z.strictObject({ output: z.string().optional(), score: z.number().min(0).default(0.01) }),
  create: (options) => (outputs, sample) => {
    const { rows, columns, values } = matrixOf(
      pickOutput(outputs, options.output, 'detection-output'),
      7,
      'detection-output',
    );
    const { width, height } = inputSize(sample, 'detection-output');
    const found: Detection[] = [];
    for (let i = 0; i < rows && values[i * columns]! >= 0; i++) {
      const at = (c: number): number => values[i * columns + c]!;
      if (!(at(2) > options.score)) continue;
      const box = { x1: at(3) * width, y1: at(4) * height, x2: at(5) * width, y2: at(6) * height };
      found.push({ ...box, score: at(2), category: at(1) });
    }
    return { boxes: boxTensor(found, sample) };
  },
});
