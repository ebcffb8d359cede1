// The numbers that kernels get, played through the kernels' formula in doubles, against the steps played one by one.
import assert from 'node:assert/strict';
import test from 'node:test';
import type { OutputPort } from '../../lib/graph/node.ts';
import { type Epilogue, type EpilogueInput, epilogueOf } from '../../lib/lowering/epilogue.ts';
import type { ChainStep } from '../../lib/lowering/fuse-post-ops.ts';
import type { QuantFormat } from '../../lib/ops/lower-context.ts';
import { roundHalfToEven } from '../../lib/ops/rounding.ts';
import { random } from '../../lib/util/random.ts';
import { ModelBuilder } from '../support/model-builder.ts';

const channels = 5;
const { normal, int } = random(41);

function format(scale: number, zero: number, high = 255): QuantFormat {
  return { scale: Float32Array.of(scale), zero: Float32Array.of(zero), zeroPoint: Uint8Array.of(zero), low: 0, high };
}

function channelFormat(high = 255): QuantFormat {
  const scale = Float32Array.from({ length: channels }, (_, c) => 0.02 * (c + 1));
  const zero = Float32Array.from({ length: channels }, (_, c) => 20 * c);
  return { scale, zero, zeroPoint: Uint8Array.from(zero), low: 0, high };
}

const bytesOf = (f: QuantFormat, c: number): [scale: number, zero: number] =>
  f.scale.length === 1 ? [f.scale[0]!, f.zero[0]!] : [f.scale[c]!, f.zero[c]!];

/** What the steps mean, in real numbers; a stored byte, or a float. */
function meaning(real: number, c: number, residual: number, steps: readonly ChainStep[]): number {
  let value = real;
  let stored: number | undefined;
  for (const step of steps) {
    stored = undefined;
    if (step.kind === 'bias') value += step.values[c]!;
    else if (step.kind === 'clamp') value = Math.min(Math.max(value, step.low), step.high);
    else if (step.kind === 'add') value += residual;
    else if (step.kind === 'scale') value *= step.values[c]!;
    else {
      const [scale, zero] = bytesOf(step.format, c);
      stored = Math.min(Math.max(roundHalfToEven(value / scale + zero), step.format.low), step.format.high);
      value = (stored - zero) * scale;
    }
  }
  return stored ?? value;
}

/** The contract of the kernels, without the roundings of floats. */
function kernel(acc: number, c: number, residual: number, e: Epilogue, isByte: boolean): number {
  const p = e.params;
  let v = e.scale ? acc * e.scale[c]! + (e.bias?.[c] ?? 0) : acc + (e.bias?.[c] ?? 0);
  if (p.mid === 1) {
    v = Math.min(Math.max(roundHalfToEven(v), p.midLow), p.midHigh);
    v = v * p.midScale + p.midBias;
  }
  v += residual * p.residualScale;
  if (!isByte) return Math.min(Math.max(v, p.low), p.high);
  const q = Math.min(Math.max(roundHalfToEven(v), 0), 255);
  return e.bounds ? Math.min(Math.max(q, e.bounds[c]!), e.bounds[channels + c]!) : q;
}

const other: OutputPort = new ModelBuilder().parameter('other', [1]);
const bias: ChainStep = { kind: 'bias', values: Float32Array.from({ length: channels }, (_, c) => c - 2.25), other };
const clamps: Record<string, ChainStep | undefined> = {
  'no clamp': undefined,
  relu: { kind: 'clamp', low: 0, high: Number.POSITIVE_INFINITY },
  relu6: { kind: 'clamp', low: 0, high: 6 },
  'hard tanh': { kind: 'clamp', low: -1, high: 1 },
};
const residuals: Record<string, { readonly format?: QuantFormat } | undefined> = {
  'no residual': undefined,
  'float residual': {},
  'byte residual': { format: { ...format(0.045, 77), zero: Float32Array.of(77.03) } },
};
const stores: Record<string, QuantFormat | undefined> = {
  'float store': undefined,
  'byte store': format(0.0625, 100),
  'byte store with a zero beside the byte': { ...format(0.0625, 100), zero: Float32Array.of(99.96) },
  'unsigned byte store': format(0.03125, 0),
  '255 levels': format(0.0625, 12, 254),
  'byte store per channel': channelFormat(),
  '100 levels per channel': channelFormat(99),
};
const mids: Record<string, readonly ChainStep[]> = {
  'no rounding before': [],
  'rounding before': [{ kind: 'quantize', format: format(0.05, 90) }],
  'clamp and rounding before': [
    { kind: 'clamp', low: -2, high: 3 },
    { kind: 'quantize', format: format(0.05, 90, 254) },
  ],
};

interface Combination {
  readonly name: string;
  readonly steps: readonly ChainStep[];
  readonly residual?: { readonly format?: QuantFormat };
  readonly store?: QuantFormat;
}

function* combinations(): Generator<Combination> {
  for (const [b, first] of Object.entries({ bias: [bias], 'no bias': [] as ChainStep[] }))
    for (const [m, before] of Object.entries(mids))
      for (const [r, residual] of Object.entries(residuals))
        for (const [k, clamp] of Object.entries(clamps))
          for (const [s, store] of Object.entries(stores)) {
            if (!residual && before.length > 0) continue;
            if (residual && store && store.scale.length > 1) continue;
            const steps = [
              ...first,
              ...before,
              ...(residual ? [{ kind: 'add', other } as const] : []),
              ...(clamp ? [clamp] : []),
              ...(store ? [{ kind: 'quantize', format: store } as const] : []),
            ];
            const name = [b, m, r, k, s].join(', ');
            yield { name, steps, ...(residual ? { residual } : {}), ...(store ? { store } : {}) };
          }
}

/** Halfway between two integers either one is right; float32 constants move values by a millionth of a step. */
function isNear(found: number, expected: number, isByte: boolean, real: number, limit: number): boolean {
  if (!isByte) return Math.abs(found - expected) <= limit;
  return found === expected || (Math.abs(found - expected) <= 1 && Math.abs(Math.abs(real % 1) - 0.5) < 1e-3);
}

test('bytes: every combination of steps gives what the steps mean', () => {
  const accumulatorScale = Float64Array.from({ length: channels }, (_, c) => 0.001 * (c + 1));
  let count = 0;
  for (const { name, steps, residual, store } of combinations()) {
    const input: EpilogueInput = {
      channels,
      steps,
      accumulatorScale,
      ...(residual?.format ? { residual: residual.format } : {}),
    };
    const epilogue = epilogueOf(input);
    assert.equal(epilogue.params.mid, steps.filter((s) => s.kind === 'quantize').length - (store ? 1 : 0), name);
    for (let i = 0; i < 200; i++) {
      const c = i % channels;
      const acc = int(-6000, 6000);
      const raw = residual?.format ? int(0, 256) : normal() * 3;
      const [rs, rz] = residual?.format ? bytesOf(residual.format, 0) : [1, 0];
      const expected = meaning(acc * accumulatorScale[c]!, c, residual ? (raw - rz) * rs : 0, steps);
      const found = kernel(acc, c, residual ? raw : 0, epilogue, store !== undefined);
      // A middle rounding at a tie moves the sum by one step of the middle grid.
      const first = steps.findIndex((s) => s.kind === 'quantize');
      const middle = first >= 0 && first < steps.length - 1 ? steps[first]! : undefined;
      if (middle?.kind === 'quantize') {
        const at = meaning(acc * accumulatorScale[c]!, c, 0, steps.slice(0, first));
        const [ms, mz] = bytesOf(middle.format, c);
        if (Math.abs(Math.abs((at / ms + mz) % 1) - 0.5) < 1e-3) continue;
      }
      const [s, z] = store ? bytesOf(store, c) : [1, 0];
      const before = meaning(
        acc * accumulatorScale[c]!,
        c,
        residual ? (raw - rz) * rs : 0,
        store ? steps.slice(0, -1) : steps,
      );
      assert.ok(
        isNear(found, expected, store !== undefined, before / s + z, 1e-4),
        `${name}: ${found} for ${expected}`,
      );
      count++;
    }
  }
  assert.ok(count > 20000, `${count} numbers were compared`);
});

test('floats: bias, sum and clamp', () => {
  for (const { name, steps, residual, store } of combinations()) {
    if (store || residual?.format || steps.some((s) => s.kind === 'quantize')) continue;
    const epilogue = epilogueOf({ channels, steps });
    assert.equal(epilogue.scale, undefined, name);
    for (let i = 0; i < 50; i++) {
      const [acc, r, c] = [normal() * 4, normal(), i % channels];
      const found = kernel(acc, c, residual ? r : 0, epilogue, false);
      assert.ok(Math.abs(found - meaning(acc, c, residual ? r : 0, steps)) < 1e-5, name);
    }
  }
});

test('nothing to do leaves bias and bounds out', () => {
  const plain = epilogueOf({ channels, steps: [], accumulatorScale: new Float64Array(channels).fill(1) });
  assert.equal(plain.bias, undefined);
  assert.equal(plain.bounds, undefined);
  assert.deepEqual([plain.params.low, plain.params.high], [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]);
});

test('a clamp in front of stored bytes becomes bounds, and none where it leaves the whole byte', () => {
  const accumulatorScale = new Float64Array(2).fill(1);
  const relu: ChainStep = { kind: 'clamp', low: 0, high: Number.POSITIVE_INFINITY };
  const bounded = epilogueOf({
    channels: 2,
    accumulatorScale,
    steps: [relu, { kind: 'quantize', format: format(0.1, 128) }],
  });
  assert.deepEqual([...bounded.bounds!], [128, 128, 255, 255]);
  const free = epilogueOf({
    channels: 2,
    accumulatorScale,
    steps: [relu, { kind: 'quantize', format: format(0.1, 0) }],
  });
  assert.equal(free.bounds, undefined);
});

test('products of floats cannot store bytes', () => {
  assert.throws(() => epilogueOf({ channels, steps: [{ kind: 'quantize', format: format(1, 0) }] }), /store floats/);
});
