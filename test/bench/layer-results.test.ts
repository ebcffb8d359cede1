// What layers are held against: the peaks of the level that was measured.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Peak } from '../../bench/layers/program.ts';
import { highestPeak } from '../../bench/layers/results.ts';

const peak = (name: string, type: string, isa: string, gops: number): Peak => ({ kind: 'peak', name, type, isa, gops });

describe('highestPeak', () => {
  const amx = [
    peak('vfmadd231ps zmm', 'f32', 'avx512', 160),
    peak('vpdpbusd zmm', 'u8s8', 'vnni', 640),
    peak('tdpbusd', 'u8s8', 'amx', 4800),
  ];

  it('holds bytes against the best instruction of the level, whatever their weights', () => {
    for (const type of ['u8s8', 'u8s7', 'trained'] as const) assert.equal(highestPeak(amx, type), 4800);
    assert.equal(highestPeak(amx.slice(0, 2), 'u8s8'), 640);
    assert.equal(highestPeak(amx, 'f32'), 160);
  });

  it('is unknown where no instruction was measured', () => {
    assert.equal(highestPeak([], 'u8s8'), undefined);
    assert.equal(highestPeak(amx.slice(1), 'f32'), undefined);
  });
});
