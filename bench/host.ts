// Where and with what a benchmark ran, for its JSON.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpuInfo } from '../lib/index.ts';

export interface Host {
  readonly cpu: string;
  /** The instruction set in force, and what the CPU has. */
  readonly isa: string;
  readonly detectedIsa: string;
  readonly cores: number;
  readonly cacheBytes: { readonly l1: number; readonly l2: number; readonly l3: number };
  /** Of the first CPU; undefined where the system does not tell. */
  readonly governor?: string;
  readonly date: string;
  readonly command: string;
  readonly versions: Readonly<Record<string, string>>;
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** The version of a package from its package.json, relative to the root of the project. */
export function packageVersion(folder: string): string | undefined {
  const text = readText(`${folder}/package.json`);
  return text === undefined ? undefined : (JSON.parse(text) as { version: string }).version;
}

/** The commit of the working directory, with a plus when files differ from it. */
export function commit(): string | undefined {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    return git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain', '-uno') === '' ? '' : '+');
  } catch {
    return undefined;
  }
}

/** `versions` are added to those of lowp and Node.js. */
export function describeHost(versions: Readonly<Record<string, string>>): Host {
  const cpu = cpuInfo();
  const governor = readText('/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor');
  const isa = process.env.LOWP_MAX_ISA;
  const lowp = [packageVersion('.'), commit()].filter((text) => text !== undefined).join(' ');
  return {
    cpu: cpu.brand,
    isa: cpu.isa,
    detectedIsa: cpu.detectedIsa,
    cores: cpu.cores,
    cacheBytes: { l1: cpu.l1Bytes, l2: cpu.l2Bytes, l3: cpu.l3Bytes },
    ...(governor === undefined ? {} : { governor }),
    date: new Date().toISOString(),
    command: `${isa === undefined ? '' : `LOWP_MAX_ISA=${isa} `}${process.env.LOWP_BENCH_COMMAND ?? process.argv.slice(1).join(' ')}`,
    versions: { lowp, node: process.version, ...versions },
  };
}
