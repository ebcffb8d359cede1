// The instruction sets that this machine can run, and the bits of results to compare.
import { createHash } from 'node:crypto';
import type { IsaName } from '../../lib/native/addon.ts';
import { cpuInfo } from '../../lib/native/cpu-info.ts';
import type { Tensor } from '../../lib/tensor/tensor.ts';

/** Scalar first, then every level up to the one in force. */
export function runnableIsas(): readonly IsaName[] {
  return cpuInfo().isas;
}

/** A digest of type, shape and every bit of the elements. */
export function bitsOfTensor(t: Tensor): string {
  const bytes = new Uint8Array(t.data.buffer, t.data.byteOffset, t.data.byteLength);
  return `${t.type}[${t.shape.join()}] ${createHash('sha256').update(bytes).digest('hex')}`;
}
