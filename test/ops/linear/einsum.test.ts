import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { compileNative } from '../../../lib/engines/native-engine.ts';
import type { Shape } from '../../../lib/tensor/shape.ts';
import { expectNative, uneven } from '../../support/expect-native.ts';
import { ModelBuilder } from '../../support/model-builder.ts';

function modelOf(equation: string, shapes: readonly Shape[]) {
  const b = new ModelBuilder();
  b.result(
    b.op(
      'Einsum',
      shapes.map((shape, i) => b.parameter(`x${i}`, shape)),
      { equation },
    ),
  );
  return { model: b.model, feeds: Object.fromEntries(shapes.map((shape, i) => [`x${i}`, uneven(shape, i + 1)])) };
}

const cases: readonly (readonly [string, ...Shape[]])[] = [
  ['ij,jk->ik', [3, 4], [4, 5]],
  ['ij,kj->ki', [3, 4], [5, 4]],
  ['bhqd,bhkd->bhqk', [2, 3, 4, 5], [2, 3, 6, 5]],
  ['bqhd,bkhd->bhqk', [2, 4, 3, 5], [2, 6, 3, 5]],
  ['bhqk,bkhd->bqhd', [2, 3, 4, 6], [2, 6, 3, 5]],
  ['btd,dhn->bthn', [2, 3, 4], [4, 2, 3]],
  ['nchw,co->nohw', [2, 3, 4, 5], [3, 6]],
  ['i,j->ij', [3], [4]],
  ['i,i->', [5], [5]],
  ['ij,ij->j', [3, 4], [3, 4]],
  ['ijk->ki', [2, 3, 4]],
  ['ij->', [3, 4]],
  ['ab,bc,cd->ad', [2, 3], [3, 4], [4, 5]],
  ['ab,cd,ac->bd', [2, 3], [4, 5], [2, 4]],
  ['...ij,...jk', [2, 3, 4, 5], [3, 5, 6]],
  ['...i,i->...', [2, 3, 4], [4]],
  ['a...,a->...', [3, 2, 2], [3]],
  ['ij,jk->ik', [3, 1], [4, 5]],
  ['ib,jb->ij', [1, 1], [1, 1]],
];

test('Einsum is products, sums and transposes', async () => {
  for (const [equation, ...shapes] of cases) {
    const { model, feeds } = modelOf(equation, shapes);
    await expectNative(model, feeds, 1e-5);
  }
});

test('Einsum of two operands with any labels', async () => {
  const labels = fc.uniqueArray(fc.constantFrom<string>('a', 'b', 'c', 'd', 'e'), { maxLength: 4 });
  const plan = fc.record({
    left: labels,
    right: labels,
    sizes: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 5, maxLength: 5 }),
    kept: fc.shuffledSubarray(['a', 'b', 'c', 'd', 'e']),
  });
  await fc.assert(
    fc.asyncProperty(plan, async ({ left, right, sizes, kept }) => {
      const output = kept.filter((l) => left.includes(l) || right.includes(l));
      const shapes = [left, right].map((list) => list.map((l) => sizes['abcde'.indexOf(l)]!));
      const { model, feeds } = modelOf(`${left.join('')},${right.join('')}->${output.join('')}`, shapes);
      await expectNative(model, feeds, 3e-5);
    }),
    { numRuns: 20 },
  );
});

test('a diagonal stays on the host', async () => {
  const { model } = modelOf('ii->i', [[3, 3]]);
  await using executable = await compileNative(model);
  assert.deepEqual(
    executable.steps.map((s) => (s.kind === 'host' ? s.node.type : s.kind)),
    ['Einsum'],
  );
});
