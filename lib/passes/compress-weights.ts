// Compress weights: quantized weights are held as integers with a scale.
import { compressWeights as compress } from '../ops/storage/compress-weights.ts';
import { definePass } from './pass.ts';

/** `Constant → FakeQuantize` becomes `Constant(i8) → Convert → [Subtract] → Multiply`. */
export const compressWeights = definePass({ name: 'compress-weights', run: (model) => compress(model) });
