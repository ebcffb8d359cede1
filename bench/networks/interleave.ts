// Runs contestants in turns, each in a process of its own on CPUs of its own, so that a slow phase of the machine meets
// all of them, and repeats rounds in which something else ran.
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { median } from '../../lib/benchmark/statistics.ts';
import { pinned } from '../cpus.ts';
import type { Contestant, Reply, Request } from './protocol.ts';

export interface Measurement {
  readonly label: string;
  readonly createMs: number;
  readonly rssBytes: number;
  /** Median over all inferences. */
  readonly medianMs: number;
  readonly minMs: number;
  /** Median latency of each round. */
  readonly rounds: readonly number[];
  readonly failure?: string;
}

export interface Schedule {
  readonly rounds: number;
  /** The least length of a turn. */
  readonly ms: number;
  /** Most rounds that are repeated because the machine was disturbed. */
  readonly repeats: number;
  /** The CPUs of every contestant; undefined when nothing is pinned. */
  readonly cpus: readonly number[] | undefined;
}

export interface Interleaved {
  readonly measurements: readonly Measurement[];
  /** Rounds that were repeated, and those that were disturbed and counted because no repeat was left. */
  readonly repeated: number;
  readonly disturbed: number;
}

/** A turn counts as disturbed when the calibration loop took this much longer than its fastest in that process. */
const tolerance = 1.05;

interface Runner {
  readonly contestant: Contestant;
  readonly child: ChildProcess;
  readonly createMs: number;
  readonly rssBytes: number;
  readonly turns: (readonly number[])[];
  fastestCalibration: number;
  failure?: string;
}

/** Measures all contestants; every other round in the opposite order. */
export async function interleave(contestants: readonly Contestant[], schedule: Schedule): Promise<Interleaved> {
  const runners: Runner[] = [];
  let [repeated, disturbed] = [0, 0];
  try {
    for (const contestant of contestants) runners.push(await start(contestant, schedule.cpus));
    for (let round = 0; round < schedule.rounds; ) {
      const order = round % 2 === 0 ? runners : runners.toReversed();
      const { turns, quiet } = await playRound(order, schedule.ms);
      if (!quiet && repeated < schedule.repeats) {
        repeated++;
        continue;
      }
      if (!quiet) disturbed++;
      for (const [runner, latencies] of turns) runner.turns.push(latencies);
      round++;
    }
  } finally {
    for (const runner of runners) runner.child.kill();
  }
  return { measurements: runners.map(measurement), repeated, disturbed };
}

async function playRound(order: readonly Runner[], ms: number) {
  const turns = new Map<Runner, readonly number[]>();
  let quiet = true;
  for (const runner of order) {
    if (runner.failure !== undefined) continue;
    const reply = await ask(runner.child, { kind: 'turn', ms });
    if (reply.kind !== 'turn') {
      runner.failure = reply.kind === 'failed' ? reply.message : 'out of turn';
      continue;
    }
    turns.set(runner, reply.latencies);
    runner.fastestCalibration = Math.min(runner.fastestCalibration, ...reply.calibration);
    quiet &&= Math.max(...reply.calibration) <= tolerance * runner.fastestCalibration;
  }
  return { turns, quiet };
}

function measurement(r: Runner): Measurement {
  const all = r.turns.flat();
  return {
    label: r.contestant.label,
    createMs: r.createMs,
    rssBytes: r.rssBytes,
    medianMs: median(all),
    minMs: all.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY),
    rounds: r.turns.map(median),
    ...(r.failure === undefined ? {} : { failure: r.failure }),
  };
}

async function start(contestant: Contestant, cpus: readonly number[] | undefined): Promise<Runner> {
  const child = fork(fileURLToPath(new URL('./contestant.js', import.meta.url)), cpus ? pinned(cpus) : {});
  const reply = await ask(child, { kind: 'load', contestant });
  const loaded = reply.kind === 'loaded' ? reply : { createMs: Number.NaN, rssBytes: Number.NaN };
  const failure = reply.kind === 'failed' ? { failure: reply.message } : {};
  const { createMs, rssBytes } = loaded;
  return { contestant, child, createMs, rssBytes, turns: [], fastestCalibration: Number.POSITIVE_INFINITY, ...failure };
}

function ask(child: ChildProcess, request: Request): Promise<Reply> {
  return new Promise((resolve) => {
    const ended = (): void => resolve({ kind: 'failed', message: 'the process ended' });
    child.once('exit', ended);
    child.once('message', (reply: Reply) => {
      child.off('exit', ended);
      resolve(reply);
    });
    child.send(request);
  });
}
