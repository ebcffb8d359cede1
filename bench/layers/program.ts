// Builds and runs lowp_layer_bench.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';

/** One line of the program's output, see bench/layers/main.cc. */
export type Line =
  | {
      readonly kind: 'host';
      readonly threads: number;
      readonly cpus: readonly number[];
      readonly contestants: readonly { readonly label: string; readonly version: string }[];
    }
  | Peak
  | MeasuredLayer
  | { readonly kind: 'calibration'; readonly spread: number };

/** What the instructions `name` can do at most, in 10^9 operations a second; `isa` is the first level that has them. */
export interface Peak {
  readonly kind: 'peak';
  readonly name: string;
  readonly type: string;
  readonly isa: string;
  readonly gops: number;
}

export interface MeasuredLayer {
  readonly kind: 'layer';
  readonly name: string;
  readonly type: string;
  readonly operations: number;
  /** Rounds that were repeated because the machine was disturbed. */
  readonly repeats: number;
  readonly contestants: readonly {
    readonly label: string;
    readonly error?: string;
    readonly implementation?: string;
    /** Share of output bytes more than a step away from the first contestant's. */
    readonly differing?: number;
    /** Seconds of one run. */
    readonly rounds?: readonly number[];
  }[];
}

export interface ProgramOptions {
  /** Label → library. */
  readonly contestants: readonly (readonly [string, string])[];
  readonly lines: readonly string[];
  readonly isa: string;
  readonly threads: number;
  readonly rounds: number;
  readonly ms: number;
  readonly cold: boolean;
  readonly peaks: boolean;
}

/** Configures and builds the layer bench for a checkout of lowp; returns the folder with the program and libraries. */
export function buildLayerBench(tree: string, folder: string): string {
  const run = (args: readonly string[]): void => {
    execFileSync('cmake', args, { stdio: ['ignore', 'ignore', 'inherit'] });
  };
  run(['-S', 'bench/layers', '-B', folder, `-DLOWP_TREE=${path.resolve(tree)}`]);
  run(['--build', folder, '--parallel', process.env.LOWP_BUILD_JOBS ?? '2']);
  return folder;
}

/** The library of oneDNN in a folder of `buildLayerBench`; undefined when oneDNN is not installed. */
export function oneDnnLibrary(folder: string): string | undefined {
  const file = path.join(folder, 'onednn_layers.so');
  return existsSync(file) ? file : undefined;
}

/** Runs the program; every line of its output is given to `onLine` as soon as it is there. */
export async function runLayerBench(
  folder: string,
  options: ProgramOptions,
  onLine: (line: Line) => void,
): Promise<void> {
  const args = options.contestants.flatMap(([label, library]) => ['--contestant', `${label}=${library}`]);
  args.push('--isa', options.isa, '--threads', `${options.threads}`, '--rounds', `${options.rounds}`);
  args.push('--ms', `${options.ms}`);
  if (options.cold) args.push('--cold');
  if (options.peaks) args.push('--peaks');
  const child = spawn(path.join(folder, 'lowp_layer_bench'), args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  child.stdin.end(`${options.lines.join('\n')}\n`);
  for await (const line of createInterface({ input: child.stdout })) onLine(JSON.parse(line) as Line);
  const code = await ended;
  if (code !== 0) throw new Error(`lowp_layer_bench ended with ${code}`);
}
