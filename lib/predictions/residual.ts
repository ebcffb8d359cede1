// Networks whose output is what has to be taken off their input.
import * as z from 'zod';
import { LowpError } from '../errors/lowp-error.ts';
import { toFloat32 } from '../tensor/convert.ts';
import { pickOutput } from './outputs.ts';
import { definePostprocessor } from './postprocessor.ts';

/** The input minus the output: networks that predict what disturbs an image. */
export const residual = definePostprocessor({
  name: 'residual',
  summary: 'the input minus the output: for networks that predict noise',
  options: z.strictObject({ output: z.string().optional(), input: z.string().optional() }),
  create: (options) => (outputs, sample) => {
    const noise = pickOutput(outputs, options.output, 'residual');
    const input = pickOutput(sample.inputs, options.input, 'residual');
    if (noise.data.length !== input.data.length)
      throw new LowpError('ERR_CONFIG_INVALID', 'postprocess residual: input and output differ in size');
    const values = toFloat32(noise);
    return { image: { type: 'f32', shape: input.shape, data: toFloat32(input).map((v, i) => v - values[i]!) } };
  },
});
