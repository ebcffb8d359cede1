// Which CPUs this process may use, and how a process is started on some of them.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** `0-2,5` → 0, 1, 2, 5 */
export function parseCpuList(text: string): number[] {
  return text.split(',').flatMap((part) => {
    const [first = 0, last = first] = part.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

/** The affinity mask; undefined where the system does not tell. */
export function allowedCpus(): readonly number[] | undefined {
  try {
    const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    return list === undefined ? undefined : parseCpuList(list);
  } catch {
    return undefined;
  }
}

/**
 * The CPUs for contestants with so many threads, the last allowed ones because interrupts prefer the first.
 *
 * @returns undefined when processes cannot be pinned here
 * @throws when there are fewer CPUs than threads: threads that share a CPU would be measured
 */
export function cpusFor(threads: number): readonly number[] | undefined {
  const allowed = allowedCpus();
  if (allowed === undefined || spawnSync('taskset', ['--version'], { stdio: 'ignore' }).status !== 0) return undefined;
  if (allowed.length < threads) {
    throw new Error(`${threads} threads need as many CPUs, and this process may use ${allowed.length}`);
  }
  return allowed.slice(-threads);
}

/** Options of `fork` that start the process on these CPUs. */
export function pinned(cpus: readonly number[]): { readonly execPath: string; readonly execArgv: string[] } {
  return { execPath: 'taskset', execArgv: ['-c', cpus.join(','), process.execPath] };
}
