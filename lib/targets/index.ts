// The devices that a model can be quantized for, by the name users give.
import { LowpError } from '../errors/lowp-error.ts';
import { any, cpu, cpuSpr } from './cpu.ts';
import { gna, gna3 } from './gna.ts';
import { gpu } from './gpu.ts';
import { npu } from './npu.ts';
import type { TargetDescription } from './target.ts';
import { vpu } from './vpu.ts';

export * from './target.ts';

export const targets: readonly TargetDescription[] = [any, cpu, cpuSpr, gpu, npu, vpu, gna, gna3];

/**
 * The target of that name, compared without case; a description is its own target.
 *
 * @throws {LowpError} `ERR_TARGET_UNKNOWN`; `ERR_ALGO_UNSUPPORTED` for a target that cannot be quantized for
 */
export function targetOf(device: string | TargetDescription): TargetDescription {
  const target = typeof device === 'string' ? targetNamed(device) : device;
  if (target.unsupported) {
    throw new LowpError('ERR_ALGO_UNSUPPORTED', `target device ${target.name}: ${target.unsupported}`);
  }
  return target;
}

function targetNamed(name: string): TargetDescription {
  const wanted = name.toUpperCase() === 'GNA3.5' ? 'GNA3' : name.toUpperCase();
  const target = targets.find((t) => t.name === wanted);
  if (target) return target;
  const known = targets.filter((t) => !t.unsupported).map((t) => t.name);
  throw new LowpError('ERR_TARGET_UNKNOWN', `the target device '${name}' is not known; expected ${known.join(', ')}`);
}
