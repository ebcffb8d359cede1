// What the layer bench found: rows of layers, sums of networks, and how they are printed.
import { median } from '../../lib/benchmark/statistics.ts';
import { table } from '../../lib/cli/output.ts';
import { type Ratio, ratioText, speedRatio } from '../statistics.ts';
import type { LayerType } from './lists.ts';
import type { MeasuredLayer, Peak } from './program.ts';

export interface ContestantTime {
  readonly label: string;
  readonly error?: string;
  readonly implementation?: string;
  readonly differing?: number;
  readonly medianUs: number;
  readonly minUs: number;
  readonly gops: number;
  /** Seconds of one run in each round. */
  readonly rounds: readonly number[];
}

export interface LayerRow {
  readonly name: string;
  /** Occurrences in the network. */
  readonly times: number;
  readonly operations: number;
  readonly repeats: number;
  readonly contestants: readonly ContestantTime[];
  /** Peer → how many times faster lowp is. */
  readonly ratios: Readonly<Record<string, Ratio>>;
}

export interface NetworkSum {
  /** Layers, counted with their occurrences, that both could run. */
  readonly layers: number;
  readonly left: number;
  readonly lowpMs: number;
  readonly peerMs: number;
  readonly ratio: Ratio;
  /** Layers under 0.8 and under 1. */
  readonly under08: number;
  readonly under1: number;
}

export interface NetworkResult {
  readonly network: string;
  readonly type: LayerType;
  readonly batch: number;
  readonly threads: number;
  readonly isa: string;
  readonly mode: 'warm' | 'cold';
  readonly layers: readonly LayerRow[];
  /** Peer → sum over the network. */
  readonly sums: Readonly<Record<string, NetworkSum>>;
}

export const subject = 'lowp';

function contestantTime(c: MeasuredLayer['contestants'][number], operations: number): ContestantTime {
  const rounds = c.rounds ?? [];
  const seconds = median(rounds);
  return {
    label: c.label,
    ...(c.error === undefined ? {} : { error: c.error }),
    ...(c.implementation === undefined ? {} : { implementation: c.implementation }),
    ...(c.differing === undefined ? {} : { differing: c.differing }),
    medianUs: seconds * 1e6,
    minUs: Math.min(...rounds) * 1e6,
    gops: (operations / seconds) * 1e-9,
    rounds,
  };
}

/** A row of one layer; `measured` are its occurrences, of which rounds are averaged. */
export function layerRow(measured: readonly MeasuredLayer[], times: number): LayerRow {
  const first = measured[0]!;
  const contestants = first.contestants.map((c, i) => {
    const rounds = c.rounds?.map(
      (_, r) => measured.reduce((sum, m) => sum + m.contestants[i]!.rounds![r]!, 0) / measured.length,
    );
    return contestantTime(rounds === undefined ? c : { ...c, rounds }, first.operations);
  });
  const ours = contestants.find((c) => c.label === subject);
  const ratios: Record<string, Ratio> = {};
  for (const peer of contestants) {
    if (peer === ours || !ours || ours.error !== undefined || peer.error !== undefined) continue;
    ratios[peer.label] = speedRatio(peer.rounds, ours.rounds);
  }
  const repeats = measured.reduce((sum, m) => sum + m.repeats, 0);
  return { name: first.name, times, operations: first.operations, repeats, contestants, ratios };
}

function sumOver(rows: readonly LayerRow[], peer: string): NetworkSum | undefined {
  const both = rows.filter((row) => row.ratios[peer] !== undefined);
  if (both.length === 0) return undefined;
  const rounds = (label: string): number[] => {
    const lists = both.map((row) => row.contestants.find((c) => c.label === label)!.rounds);
    return lists[0]!.map((_, r) => lists.reduce((sum, list, i) => sum + list[r]! * both[i]!.times, 0));
  };
  const [ours, theirs] = [rounds(subject), rounds(peer)];
  const under = (limit: number): number => both.filter((row) => row.ratios[peer]!.value < limit).length;
  const count = (list: readonly LayerRow[]): number => list.reduce((sum, row) => sum + row.times, 0);
  return {
    layers: count(both),
    left: count(rows) - count(both),
    lowpMs: median(ours) * 1e3,
    peerMs: median(theirs) * 1e3,
    ratio: speedRatio(theirs, ours),
    under08: under(0.8),
    under1: under(1),
  };
}

export function sums(rows: readonly LayerRow[]): Record<string, NetworkSum> {
  const found: Record<string, NetworkSum> = {};
  for (const { label } of rows[0]?.contestants ?? []) {
    const sum = label === subject ? undefined : sumOver(rows, label);
    if (sum) found[label] = sum;
  }
  return found;
}

const percent = (share: number): string => `${(share * 100).toFixed(0)} %`;

/**
 * The highest of the peaks of one level that layers of a type may be held against, in GOPS; `u8s7` is the same work as
 * `u8s8`. Layers whose row uses other instructions of that level are held against it too: it is what the machine offers.
 */
export function highestPeak(peaks: readonly Peak[], type: LayerType): number | undefined {
  const found = peaks.filter((p) => p.type === (type === 'f32' ? 'f32' : 'u8s8')).map((p) => p.gops);
  return found.length === 0 ? undefined : Math.max(...found);
}

/** The layers of one network as text; `peak` in GOPS, of all threads together. */
export function layerTable(result: NetworkResult, peak: number | undefined): string {
  const labels = result.layers[0]?.contestants.map((c) => c.label) ?? [];
  const head = ['layer', '×', ...labels.flatMap((l) => [`${l} µs`, 'GOPS']), 'peak'];
  head.push(...labels.slice(1).flatMap((l) => [`lowp ÷ ${l}`, 'wrong']), 'row');
  const rows = result.layers.map((row) => {
    const ours = row.contestants[0]!;
    return [
      row.name,
      `${row.times}`,
      ...row.contestants.flatMap((c) => (c.error ? ['–', '–'] : [c.medianUs.toFixed(1), c.gops.toFixed(1)])),
      peak === undefined || ours.error ? '' : percent(ours.gops / peak),
      ...labels.slice(1).flatMap((l) => {
        const ratio = row.ratios[l];
        const differing = row.contestants.find((c) => c.label === l)?.differing ?? 0;
        return [ratio ? ratioText(ratio) : '–', differing === 0 ? '' : percent(differing)];
      }),
      ours.error ?? ours.implementation ?? '',
    ];
  });
  return table(head, rows);
}

/** One line a network and peer. */
export function sumTable(results: readonly NetworkResult[]): string {
  const rows = results.flatMap((r) =>
    Object.entries(r.sums).map(([peer, s]) => [
      r.network,
      r.type,
      `${r.batch}`,
      `${r.threads}`,
      r.isa,
      r.mode,
      s.lowpMs.toFixed(2),
      peer,
      s.peerMs.toFixed(2),
      ratioText(s.ratio),
      `${s.under08} / ${s.under1}`,
      s.left === 0 ? `${s.layers}` : `${s.layers} of ${s.layers + s.left}`,
    ]),
  );
  const head = ['network', 'type', 'batch', 'threads', 'isa', 'caches', 'lowp ms', 'peer', 'peer ms', 'lowp ÷ peer'];
  return table([...head, '< 0.8 / < 1', 'layers'], rows);
}
