// The instruction sets that this machine can run, and the bits of results to compare.
import { createHash } from 'node:crypto';
import { cpuInfo } from '../../lib/native/cpu-info.ts';
import type { Tensor } from '../../lib/tensor/tensor.ts';

const levels = ['scalar', 'avx2', 'avx512', 'vnni'] as const;

/** Scalar first, then every level up to the one in force. */
export function runnableIsas(): readonly (typeof levels)[number][] {
  return levels.slice(0, levels.indexOf(cpuInfo().isa) + 1);
}

/** A digest of type, shape and every bit of the elements. */
export function bitsOfTensor(t: Tensor): string {
  const bytes = new Uint8Array(t.data.buffer, t.data.byteOffset, t.data.byteLength);
  return `${t.type}[${t.shape.join()}] ${createHash('sha256').update(bytes).digest('hex')}`;
}
