import type { CpuInfo } from './addon.ts';
import { addon } from './binding.ts';

/**
 * Instruction sets, cores and caches as the native runtime sees them.
 *
 * @throws {LowpError} `ERR_NATIVE_MISSING`
 */
export function cpuInfo(): CpuInfo {
  return addon().cpuInfo();
}
