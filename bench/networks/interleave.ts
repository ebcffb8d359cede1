// Runs contestants in turns, each in a process of its own, so that a slow phase of the machine meets all of them.
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { median, ratioInterval } from '../../lib/benchmark/statistics.ts';
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

export interface Ratio {
  readonly value: number;
  readonly ci95: readonly [number, number];
}

/** How many times faster `b` is than `a`: median over rounds of a ÷ b, and its interval by a bootstrap over rounds. */
export function speedRatio(a: Measurement, b: Measurement): Ratio {
  const perRound = a.rounds.map((x, i) => x / b.rounds[i]!);
  const ones = perRound.map(() => 1);
  return { value: median(perRound), ci95: ratioInterval(perRound, ones) };
}

/** Measures all contestants over `rounds` turns of `ms` each. */
export async function interleave(
  contestants: readonly Contestant[],
  rounds: number,
  ms: number,
): Promise<Measurement[]> {
  const runners = await Promise.all(contestants.map(start));
  try {
    for (let round = 0; round < rounds; round++) {
      for (const runner of runners) {
        if (runner.failure !== undefined) continue;
        const reply = await ask(runner.child, { kind: 'turn', ms });
        if (reply.kind === 'turn') runner.turns.push([...reply.latencies]);
        else runner.failure = reply.kind === 'failed' ? reply.message : 'out of turn';
      }
    }
  } finally {
    for (const runner of runners) runner.child.kill();
  }
  return runners.map((r) => {
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
  });
}

interface Runner {
  readonly contestant: Contestant;
  readonly child: ChildProcess;
  readonly createMs: number;
  readonly rssBytes: number;
  readonly turns: number[][];
  failure?: string;
}

async function start(contestant: Contestant): Promise<Runner> {
  const child = fork(fileURLToPath(new URL('./contestant.js', import.meta.url)));
  const reply = await ask(child, { kind: 'load', contestant });
  const loaded = reply.kind === 'loaded' ? reply : { createMs: Number.NaN, rssBytes: Number.NaN };
  const failure = reply.kind === 'failed' ? { failure: reply.message } : {};
  return { contestant, child, createMs: loaded.createMs, rssBytes: loaded.rssBytes, turns: [], ...failure };
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
