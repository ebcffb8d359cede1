// Decompress constants: half-precision constants behind a Convert become f32, and remember how they were stored.
import type { Model } from '../graph/model.ts';
import { withBodies } from '../graph/sub-graph.ts';
import { decompressConstants as decompress } from '../ops/storage/decompress-constants.ts';
import { promoteHalf as promote } from '../ops/storage/half-precision.ts';
import { definePass } from './pass.ts';

/** Bodies have the element types of what surrounds them. */
function inAll(model: Model, change: (model: Model) => number): number {
  return withBodies(model).reduce((sum, m) => sum + change(m), 0);
}

/** `Const(f16) → Convert(f32)` becomes `Const(f32)`; saving restores the f16. */
export const decompressConstants = definePass({
  name: 'decompress-constants',
  run: (model) => inAll(model, decompress),
});

/** A model that computes in f16 (IR version 10, FP16) computes in f32; saving stores its constants in f16. */
export const promoteHalf = definePass({ name: 'promote-half', run: (model) => inAll(model, promote) });
