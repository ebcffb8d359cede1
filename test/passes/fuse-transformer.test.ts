// The passes that make single operations of layer normalization, GELU, Swish and hard swish.
import assert from 'node:assert/strict';
import test from 'node:test';
import type { OutputPort } from '../../lib/graph/node.ts';
import { fuseGelu, fuseHardSwish, fuseLayerNorm, fuseSwish, type Pass, runPasses } from '../../lib/passes/index.ts';
import { maxAbsError } from '../../lib/tensor/compare.ts';
import { evaluate, ModelBuilder, randomFeeds } from '../support/model-builder.ts';

/** Values are near 1 and pass through a dozen roundings to f32. */
const tolerance = 1e-5;

/** Runs the pass on `build(x)`; the result keeps its values. Returns the types of the computed nodes behind it. */
async function after(pass: Pass, build: (b: ModelBuilder, x: OutputPort) => OutputPort): Promise<string[]> {
  const b = new ModelBuilder();
  b.result(build(b, b.parameter('x', [2, 3, 8])));
  const feeds = randomFeeds(b.model);
  const before = await evaluate(b.model, feeds);
  runPasses(b.model, [pass], { dump: '' });
  const now = await evaluate(b.model, feeds);
  for (const [name, value] of Object.entries(before)) assert.ok(maxAbsError(now[name]!, value) <= tolerance);
  return b.model.nodes().flatMap((n) => (['Parameter', 'Constant', 'Result'].includes(n.type) ? [] : [n.type]));
}

const n = (b: ModelBuilder, value: number): OutputPort => b.constant('n', [], [value]);

interface LayerNorm {
  readonly square?: 'Power' | 'Multiply' | 'SquaredDifference';
  readonly root?: 'Sqrt' | 'Power';
  readonly inverse?: boolean;
  readonly axis?: number;
  readonly otherAxis?: number;
  readonly keep?: boolean;
  readonly exponent?: number;
}

function layerNorm(spec: LayerNorm) {
  return (b: ModelBuilder, x: OutputPort): OutputPort => {
    const { square = 'Power', root = 'Sqrt', inverse = false, axis = -1, otherAxis = axis } = spec;
    const mean = (y: OutputPort, at: number): OutputPort =>
      b.op('ReduceMean', [y, b.constant('axes', [1], [at], 'i64')], { keep_dims: true });
    const average = mean(x, axis);
    const centred = b.op('Subtract', [x, average]);
    const squares = {
      Power: () => b.op('Power', [centred, n(b, spec.exponent ?? 2)]),
      Multiply: () => b.op('Multiply', [centred, b.op('Subtract', [x, average])]),
      SquaredDifference: () => b.op('SquaredDifference', [average, x]),
    };
    const sum = b.op('Add', [n(b, 1e-5), mean(squares[square](), otherAxis)]);
    if (inverse && root === 'Power') return b.op('Multiply', [b.op('Power', [sum, n(b, -0.5)]), centred]);
    const deviation = root === 'Sqrt' ? b.op('Sqrt', [sum]) : b.op('Power', [sum, n(b, 0.5)]);
    if (inverse) return b.op('Multiply', [centred, b.op('Divide', [n(b, 1), deviation])]);
    return b.op('Divide', [centred, deviation]);
  };
}

test('layer normalization in every spelling becomes MVN', async () => {
  for (const square of ['Power', 'Multiply', 'SquaredDifference'] as const)
    for (const root of ['Sqrt', 'Power'] as const)
      for (const inverse of [false, true])
        assert.deepEqual(await after(fuseLayerNorm, layerNorm({ square, root, inverse })), ['MVN']);
  assert.deepEqual(await after(fuseLayerNorm, layerNorm({ axis: 1 })), ['MVN']);
});

test('other formulas are left alone', async () => {
  for (const spec of [{ otherAxis: 1 }, { exponent: 4 }])
    assert.ok(!(await after(fuseLayerNorm, layerNorm(spec))).includes('MVN'));
});

test('a value inside that others read stays', async () => {
  const types = await after(fuseLayerNorm, (b, x) => {
    const y = layerNorm({})(b, x);
    return b.op('Add', [y, y.node.source(0)!]);
  });
  assert.deepEqual([...types].sort(), ['Add', 'MVN', 'ReduceMean', 'Subtract']);
});

const erf = (b: ModelBuilder, x: OutputPort, divide: boolean, factor = Math.SQRT2): OutputPort => {
  const argument = divide ? b.op('Divide', [x, n(b, factor)]) : b.op('Multiply', [n(b, 1 / factor), x]);
  return b.op('Add', [b.op('Erf', [argument]), n(b, 1)]);
};

test('GELU by erf becomes Gelu in any order of factors', async () => {
  const mul = (b: ModelBuilder, x: OutputPort, y: OutputPort): OutputPort => b.op('Multiply', [x, y]);
  for (const divide of [true, false]) {
    const forms = [
      (b: ModelBuilder, x: OutputPort) => mul(b, mul(b, x, erf(b, x, divide)), n(b, 0.5)),
      (b: ModelBuilder, x: OutputPort) => mul(b, mul(b, x, n(b, 0.5)), erf(b, x, divide)),
      (b: ModelBuilder, x: OutputPort) => mul(b, x, mul(b, n(b, 0.5), erf(b, x, divide))),
      (b: ModelBuilder, x: OutputPort) => b.op('Divide', [mul(b, erf(b, x, divide), x), n(b, 2)]),
    ];
    for (const [i, form] of forms.entries()) {
      // A division at the root is no product of two values; the one in front of it is.
      const expected = i === 3 ? ['Divide', 'Multiply', 'Add', 'Erf', divide ? 'Divide' : 'Multiply'] : ['Gelu'];
      assert.deepEqual([...(await after(fuseGelu, form))].sort(), expected.sort());
    }
  }
});

test('GELU by tanh becomes Gelu, whatever the cube looks like', async () => {
  const cubes: ((b: ModelBuilder, x: OutputPort) => OutputPort)[] = [
    (b, x) => b.op('Add', [x, b.op('Multiply', [n(b, 0.044715), b.op('Power', [x, n(b, 3)])])]),
    (b, x) => b.op('Add', [b.op('Multiply', [b.op('Multiply', [b.op('Multiply', [x, x]), x]), n(b, 0.044715)]), x]),
    (b, x) => {
      const square = b.op('Multiply', [b.op('Multiply', [n(b, 0.044715), x]), x]);
      return b.op('Multiply', [x, b.op('Add', [n(b, 1), square])]);
    },
  ];
  for (const cube of cubes) {
    const types = await after(fuseGelu, (b, x) => {
      const bend = b.op('Tanh', [b.op('Multiply', [cube(b, x), n(b, Math.sqrt(2 / Math.PI))])]);
      return b.op('Multiply', [b.op('Multiply', [x, n(b, 0.5)]), b.op('Add', [bend, n(b, 1)])]);
    });
    assert.deepEqual(types, ['Gelu']);
  }
});

test('near misses of GELU are left alone', async () => {
  const misses: ((b: ModelBuilder, x: OutputPort) => OutputPort)[] = [
    (b, x) => b.op('Multiply', [b.op('Multiply', [x, erf(b, x, true, 1.5)]), n(b, 0.5)]),
    (b, x) => b.op('Multiply', [b.op('Multiply', [x, erf(b, x, true)]), n(b, 0.25)]),
    (b, x) => b.op('Multiply', [b.op('Multiply', [x, erf(b, b.op('Sigmoid', [x]), true)]), n(b, 0.5)]),
  ];
  for (const miss of misses) assert.ok(!(await after(fuseGelu, miss)).includes('Gelu'));
});

test('a value times its logistic function becomes Swish, in either order; other gates are left alone', async () => {
  const gate = (b: ModelBuilder, x: OutputPort): OutputPort => b.op('Sigmoid', [x]);
  assert.deepEqual(await after(fuseSwish, (b, x) => b.op('Multiply', [x, gate(b, x)])), ['Swish']);
  assert.deepEqual(await after(fuseSwish, (b, x) => b.op('Multiply', [gate(b, x), x])), ['Swish']);
  const other = await after(fuseSwish, (b, x) => b.op('Multiply', [x, gate(b, b.op('Tanh', [x]))]));
  assert.deepEqual(other, ['Tanh', 'Sigmoid', 'Multiply']);
});

const clamped = (b: ModelBuilder, x: OutputPort, max = 6): OutputPort =>
  b.op('Clamp', [b.op('Add', [x, n(b, 3)])], { min: 0, max });

test('hard swish is found wherever the 6 divides', async () => {
  const hard = (b: ModelBuilder, x: OutputPort): OutputPort => b.op('HardSigmoid', [x, n(b, 1 / 6), n(b, 0.5)]);
  const forms: ((b: ModelBuilder, x: OutputPort) => OutputPort)[] = [
    (b, x) => b.op('Divide', [b.op('Multiply', [x, clamped(b, x)]), n(b, 6)]),
    (b, x) => b.op('Multiply', [n(b, 1 / 6), b.op('Multiply', [clamped(b, x), x])]),
    (b, x) => b.op('Multiply', [x, b.op('Divide', [clamped(b, x), n(b, 6)])]),
    (b, x) => b.op('Multiply', [b.op('Multiply', [x, n(b, 0.16666667)]), clamped(b, x)]),
    (b, x) => b.op('Multiply', [hard(b, x), x]),
  ];
  for (const form of forms) assert.deepEqual(await after(fuseHardSwish, form), ['HSwish']);
  assert.deepEqual(await after(fuseHardSwish, (b, x) => b.op('Divide', [clamped(b, x), n(b, 6)])), ['HSigmoid']);
  assert.deepEqual(await after(fuseHardSwish, hard), ['HSigmoid']);
});

test('near misses of hard swish are left alone', async () => {
  const misses: ((b: ModelBuilder, x: OutputPort) => OutputPort)[] = [
    (b, x) => b.op('Multiply', [x, clamped(b, x)]),
    (b, x) => b.op('Divide', [b.op('Multiply', [x, clamped(b, x, 5)]), n(b, 6)]),
    (b, x) => b.op('Divide', [n(b, 6), b.op('Multiply', [x, clamped(b, x)])]),
    (b, x) => b.op('Divide', [b.op('Multiply', [b.op('Tanh', [x]), clamped(b, x)]), n(b, 6)]),
  ];
  for (const miss of misses) assert.ok(!(await after(fuseHardSwish, miss)).includes('HSwish'));
});

test('constants of higher rank keep activations apart: they give the result more axes', async () => {
  const deep = (b: ModelBuilder, value: number): OutputPort => b.constant('n', [1, 1, 1, 1], [value]);
  const hard = await after(fuseHardSwish, (b, x) =>
    b.op('Divide', [b.op('Multiply', [x, b.op('Clamp', [b.op('Add', [x, deep(b, 3)])], { min: 0, max: 6 })]), n(b, 6)]),
  );
  assert.ok(!hard.includes('HSwish'));
  const gelu = await after(fuseGelu, (b, x) =>
    b.op('Multiply', [
      b.op('Multiply', [x, deep(b, 0.5)]),
      b.op('Add', [b.op('Erf', [b.op('Multiply', [x, n(b, Math.SQRT1_2)])]), n(b, 1)]),
    ]),
  );
  assert.ok(!gelu.includes('Gelu'));
});
