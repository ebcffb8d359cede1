// The best class of each position.
import * as z from 'zod';
import { LowpError } from '../errors/lowp-error.ts';
import { formatShape } from '../tensor/shape.ts';
import { pickOutput } from './outputs.ts';
import { definePostprocessor } from './postprocessor.ts';

/** The index of the largest value along an axis, the first of equal ones: scores of classes become a map of classes. */
export const argmax = definePostprocessor({
  name: 'argmax',
  summary: 'scores of classes become a map of classes',
  options: z.strictObject({ output: z.string().optional(), axis: z.number().int().default(1) }),
  create:
    ({ output, axis }) =>
    (outputs) => {
      const { shape, data } = pickOutput(outputs, output, 'argmax');
      const at = axis < 0 ? axis + shape.length : axis;
      const classes = shape[at];
      if (classes === undefined)
        throw new LowpError('ERR_CONFIG_INVALID', `postprocess argmax: ${formatShape(shape)} has no axis ${axis}`);
      const inner = shape.slice(at + 1).reduce((a, b) => a * b, 1);
      const outer = shape.slice(0, at).reduce((a, b) => a * b, 1);
      const map = new Int32Array(outer * inner);
      for (let o = 0; o < outer; o++)
        for (let i = 0; i < inner; i++) {
          const from = o * classes * inner + i;
          let best = 0;
          for (let c = 1; c < classes; c++) if (data[from + c * inner]! > data[from + best * inner]!) best = c;
          map[o * inner + i] = best;
        }
      return { classes: { type: 'i32', shape: [...shape.slice(0, at), ...shape.slice(at + 1)], data: map } };
    },
});
