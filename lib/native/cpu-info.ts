// What this machine is and what it can do at most.
import type { CpuInfo, IsaName, MachinePeaks } from './addon.ts';
import { addon } from './binding.ts';

/**
 * Instruction sets, cores and caches as the native runtime sees them.
 *
 * @throws {LowpError} `ERR_NATIVE_MISSING`
 */
export function cpuInfo(): CpuInfo {
  return addon().cpuInfo();
}

/**
 * Measures what one core of this machine can do at most - arithmetic of the instructions up to `isa`, reading by cache -
 * and what it costs to share work among cores. Blocks for some seconds; other work on the machine worsens the figures.
 *
 * @throws {LowpError} `ERR_NATIVE_MISSING`
 */
export function measurePeaks(isa: IsaName | 'native' = 'native'): MachinePeaks {
  return addon().measurePeaks(isa);
}
