// Decompress constants: half-precision constants behind a Convert become f32, and remember how they were stored.
import { decompressConstants as decompress } from '../ops/storage/decompress-constants.ts';
import { promoteHalf as promote } from '../ops/storage/half-precision.ts';
import { definePass } from './pass.ts';

/** `Const(f16) → Convert(f32)` becomes `Const(f32)`; saving restores the f16. */
export const decompressConstants = definePass({ name: 'decompress-constants', run: (model) => decompress(model) });

/** A model that computes in f16 (IR version 10, FP16) computes in f32; saving stores its constants in f16. */
export const promoteHalf = definePass({ name: 'promote-half', run: (model) => promote(model) });
