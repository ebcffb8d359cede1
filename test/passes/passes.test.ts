import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { addNode } from '../../lib/graph/edit.ts';
import { type Model, outputName } from '../../lib/graph/model.ts';
import type { OutputPort } from '../../lib/graph/node.ts';
import { verify } from '../../lib/graph/verify.ts';
import { createNode } from '../../lib/ops/index.ts';
import {
  decompressConstants,
  eliminateNoOp,
  foldConstants,
  fuseBatchNorm,
  fuseScaleShift,
  insertBias,
  normalizeMatMul,
  type Pass,
  prepareForExecution,
  prepareForQuantization,
  promoteHalf,
  propagateShapes,
  runPasses,
  shareConstants,
} from '../../lib/passes/index.ts';
import type { Tensor } from '../../lib/tensor/tensor.ts';
import { evaluate, ModelBuilder, randomFeeds, typesOf } from '../support/model-builder.ts';

/** Results after rewriting differ by rounding to f32 once more: this many units of 2^-23, relative to the largest value. */
const roundings = 16;

/** Runs the pass and checks that outputs keep their names and values. Returns the number of changes. */
async function changes(model: Model, pass: Pass): Promise<number> {
  const feeds = randomFeeds(model);
  const names = model.results().map(outputName);
  const before = await evaluate(model, feeds);
  let count = 0;
  runPasses(model, [pass], {
    dump: '',
    onEvent: (e) => {
      if (e.kind === 'pass:done') count = e.matches;
    },
  });
  verify(model);
  assert.deepEqual(model.results().map(outputName), names);
  await assertClose(model, feeds, before);
  return count;
}

async function assertClose(
  model: Model,
  feeds: Readonly<Record<string, Tensor>>,
  before: Readonly<Record<string, Tensor>>,
): Promise<void> {
  for (const [name, value] of Object.entries(await evaluate(model, feeds))) {
    const expected = before[name]!;
    assert.deepEqual(value.shape, expected.shape);
    let largest = 0;
    for (const v of expected.data) largest = Math.max(largest, Math.abs(Number(v)));
    for (let i = 0; i < value.data.length; i++) {
      const [x, y] = [Number(value.data[i]), Number(expected.data[i])];
      assert.ok(Math.abs(x - y) <= roundings * 2 ** -23 * largest, `${name}[${i}]: ${x}, before ${y}`);
    }
  }
}

const ones = (count: number): number[] => new Array<number>(count).fill(1);

function batchNorm(b: ModelBuilder, x: OutputPort, channels: number, opset = 'opset5'): OutputPort {
  const numbers = (name: string, values: (i: number) => number): OutputPort =>
    b.constant(
      name,
      [channels],
      Array.from({ length: channels }, (_, i) => values(i)),
    );
  const [gamma, beta] = [numbers('gamma', (i) => 0.5 + i), numbers('beta', (i) => i - 1)];
  const [mean, variance] = [numbers('mean', (i) => 0.3 * i), numbers('variance', (i) => 0.2 + i)];
  const inputs = opset === 'opset1' ? [gamma, beta, x, mean, variance] : [x, gamma, beta, mean, variance];
  return createNode(b.model, {
    type: 'BatchNormInference',
    name: 'bn',
    attributes: { epsilon: 1e-3 },
    inputs,
    notes: { opset },
  }).output;
}

describe('foldConstants', () => {
  it('replaces what depends on constants only, and keeps the name', async () => {
    const b = new ModelBuilder();
    const c = b.op('Multiply', [b.constant('p', [2], [1, 2]), b.constant('q', [2], [3, 4])], {}, 'product');
    b.result(b.op('Add', [b.parameter('x', [2]), c]));
    assert.equal(await changes(b.model, foldConstants()), 1);
    assert.deepEqual(typesOf(b.model), ['Parameter', 'Add', 'Result']);
    assert.deepEqual(b.model.node('product').output.fact.value?.data, Float32Array.of(3, 8));
  });

  it('folds the shape of an input, and chains behind it', async () => {
    const b = new ModelBuilder();
    const x = b.parameter('x', [2, 3]);
    const shape = b.op('ShapeOf', [x], { output_type: 'i64' });
    const target = b.op('Concat', [b.constant('one', [1], [1], 'i64'), shape], { axis: 0 });
    b.result(b.op('Reshape', [x, target], { special_zero: false }));
    assert.ok((await changes(b.model, foldConstants())) >= 1);
    assert.deepEqual(typesOf(b.model), ['Parameter', 'Reshape', 'Result']);
  });

  it('keeps an output that is constant, with its name', async () => {
    const b = new ModelBuilder();
    b.result(b.op('ReLU', [b.constant('c', [2], [-1, 1])], {}, 'named'));
    b.result(b.parameter('x', [1]));
    await changes(b.model, foldConstants());
    assert.equal(outputName(b.model.results()[0]!), 'named');
  });

  it('leaves outputs above the limit, and what reads an input', async () => {
    const b = new ModelBuilder();
    const c = b.op('Multiply', [b.weights('p', [100, 100]), b.weights('q', [100, 100])]);
    b.result(b.op('Add', [b.parameter('x', [100, 100]), c]));
    assert.equal(await changes(b.model, foldConstants({ limitBytes: 39_999 })), 0);
    assert.equal(await changes(b.model, foldConstants({ limitBytes: 40_000 })), 1);
  });

  it('leaves quantized weights in every form unless asked', async () => {
    const build = (): ModelBuilder => {
      const b = new ModelBuilder();
      const stored = b.op('Convert', [b.constant('i', [2], [1, -2], 'i8')], { destination_type: 'f32' });
      const scaled = b.op('Multiply', [stored, b.constant('s', [2], [0.5, 2])]);
      const [low, high] = [b.constant('l', [], [-1]), b.constant('h', [], [1])];
      const fake = b.op('FakeQuantize', [b.constant('w', [2], [0.1, 0.9]), low, high, low, high], { levels: 255 });
      b.result(b.op('Add', [b.parameter('x', [2]), b.op('Add', [scaled, fake], {}, 'both')], {}, 'sum'));
      return b;
    };
    const kept = build();
    assert.equal(await changes(kept.model, foldConstants()), 0);
    assert.ok(typesOf(kept.model).includes('FakeQuantize'));
    const folded = build();
    await changes(folded.model, foldConstants({ quantized: true }));
    assert.deepEqual(typesOf(folded.model), ['Parameter', 'Add', 'Result']);
  });
});

describe('fuseBatchNorm', () => {
  for (const opset of ['opset1', 'opset5']) {
    it(`puts the normalization of ${opset} into weights and one bias`, async () => {
      const b = new ModelBuilder();
      const conv = b.convolution(b.parameter('x', [1, 2, 4, 4]), b.weights('w', [3, 2, 3, 3]));
      b.result(batchNorm(b, conv, 3, opset));
      assert.ok((await changes(b.model, fuseBatchNorm)) > 0);
      assert.deepEqual(typesOf(b.model), ['Parameter', 'Convolution', 'Add', 'Result']);
    });
  }

  it('fuses behind a bias, and grouped, transposed and matrix products', async () => {
    const x = [1, 4, 5, 5];
    const builds: ((b: ModelBuilder) => OutputPort)[] = [
      (b) =>
        b.op('Add', [b.convolution(b.parameter('x', x), b.weights('w', [3, 4, 3, 3])), b.weights('b', [1, 3, 1, 1])]),
      (b) => b.convolution(b.parameter('x', x), b.weights('w', [2, 3, 2, 3, 3]), 'group', 'GroupConvolution'),
      (b) => b.convolution(b.parameter('x', x), b.weights('w', [4, 3, 3, 3]), 'back', 'ConvolutionBackpropData'),
      (b) => b.convolution(b.parameter('x', x), b.weights('w', [2, 2, 3, 3, 3]), 'gb', 'GroupConvolutionBackpropData'),
    ];
    for (const build of builds) {
      const b = new ModelBuilder();
      const product = build(b);
      b.result(batchNorm(b, product, product.fact.shape[1]!));
      await changes(b.model, fuseBatchNorm);
      await changes(b.model, fuseScaleShift);
      assert.equal(typesOf(b.model).length, 4, typesOf(b.model).join());
    }
    for (const transpose of [false, true]) {
      const b = new ModelBuilder();
      const attributes = { transpose_a: false, transpose_b: transpose };
      const product = b.op(
        'MatMul',
        [b.parameter('x', [2, 4]), b.weights('w', transpose ? [3, 4] : [4, 3])],
        attributes,
      );
      b.result(b.op('Multiply', [b.constant('s', [1, 3], [2, -3, 0.1]), product]));
      await changes(b.model, fuseBatchNorm);
      assert.deepEqual(typesOf(b.model), ['Parameter', 'MatMul', 'Result']);
    }
  });

  it('becomes Multiply and Add where nothing can take it', async () => {
    const b = new ModelBuilder();
    b.result(batchNorm(b, b.parameter('x', [2, 3, 2]), 3));
    await changes(b.model, fuseBatchNorm);
    assert.deepEqual(typesOf(b.model), ['Parameter', 'Multiply', 'Add', 'Result']);
  });

  it('leaves weights alone that others read', async () => {
    const b = new ModelBuilder();
    const x = b.parameter('x', [1, 2, 4, 4]);
    const w = b.weights('w', [3, 2, 3, 3]);
    b.result(b.op('Multiply', [b.convolution(x, w, 'a'), b.constant('s', [1, 3, 1, 1], [1, 2, 3])]));
    b.result(b.convolution(x, w, 'b'));
    assert.equal(await changes(b.model, fuseBatchNorm), 1);
  });

  const nearMisses: [string, (b: ModelBuilder, x: OutputPort) => OutputPort][] = [
    [
      'a convolution that somebody else reads',
      (b, x) => {
        const conv = b.convolution(x, b.weights('w', [3, 2, 3, 3]));
        b.result(conv, 'other');
        return b.op('Multiply', [conv, b.constant('s', [1, 3, 1, 1], [1, 2, 3])]);
      },
    ],
    [
      'a scale that varies in space',
      (b, x) => b.op('Multiply', [b.convolution(x, b.weights('w', [4, 2, 3, 3])), b.constant('s', [4], [1, 2, 3, 4])]),
    ],
    [
      'a scale that expands the output',
      (b, x) =>
        b.op('Multiply', [b.convolution(x, b.weights('w', [1, 2, 3, 3])), b.constant('s', [1, 3, 1, 1], ones(3))]),
    ],
    [
      'quantized weights',
      (b, x) => {
        const [low, high] = [b.constant('l', [], [-2]), b.constant('h', [], [2])];
        const w = b.op('FakeQuantize', [b.weights('w', [3, 2, 3, 3]), low, high, low, high], { levels: 255 });
        return b.op('Multiply', [b.convolution(x, w), b.constant('s', [1, 3, 1, 1], [1, 2, 3])]);
      },
    ],
    [
      'a scale without end',
      (b, x) =>
        b.op('Minimum', [
          b.op('Multiply', [b.convolution(x, b.weights('w', [3, 2, 3, 3])), b.constant('s', [], [Infinity])]),
          b.constant('m', [], [1]),
        ]),
    ],
  ];
  for (const [what, build] of nearMisses) {
    it(`leaves ${what}`, () => {
      const b = new ModelBuilder();
      b.result(build(b, b.parameter('x', [1, 2, 4, 4])));
      assert.equal(fuseBatchNorm.run(b.model, {}), 0);
    });
  }
});

describe('fuseScaleShift', () => {
  it('merges constants on either side', async () => {
    const b = new ModelBuilder();
    let x = b.parameter('x', [2, 3]);
    x = b.op('Add', [x, b.constant('a', [3], [1, 2, 3])]);
    x = b.op('Add', [b.constant('b', [1], [5]), x]);
    x = b.op('Multiply', [b.constant('c', [], [2]), x]);
    x = b.op('Multiply', [x, b.constant('d', [1, 3], [1, 2, 4])]);
    b.result(x);
    assert.equal(await changes(b.model, fuseScaleShift), 2);
    assert.deepEqual(typesOf(b.model), ['Parameter', 'Add', 'Multiply', 'Result']);
  });

  it('leaves sums that others read, constants that would grow, and numbers that swallow fractions', () => {
    const shared = new ModelBuilder();
    const inner = shared.op('Add', [shared.parameter('x', [2]), shared.constant('a', [2], [1, 2])]);
    shared.result(inner, 'r');
    shared.result(shared.op('Add', [inner, shared.constant('b', [2], [1, 2])]));
    const growing = new ModelBuilder();
    const row = growing.op('Add', [growing.parameter('x', [3, 3]), growing.constant('a', [3], [1, 2, 3])]);
    growing.result(growing.op('Add', [row, growing.constant('b', [3, 1], [1, 2, 3])]));
    const rounding = new ModelBuilder();
    const up = rounding.op('Add', [rounding.parameter('x', [3]), rounding.constant('a', [], [2 ** 23])]);
    rounding.result(rounding.op('Add', [up, rounding.constant('b', [], [-(2 ** 23)])]));
    for (const { model } of [shared, growing, rounding]) assert.equal(fuseScaleShift.run(model, {}), 0);
  });

  it('leaves the dequantization of stored weights', () => {
    const b = new ModelBuilder();
    const wide = b.op('Convert', [b.constant('i', [2], [1, 2], 'i8')], { destination_type: 'f32' });
    const first = b.op('Multiply', [wide, b.constant('s', [], [2])]);
    const second = b.op('Multiply', [first, b.constant('t', [], [3])]);
    b.result(b.op('Add', [b.parameter('x', [2]), second]));
    assert.equal(fuseScaleShift.run(b.model, {}), 0);
  });
});

describe('insertBias', () => {
  it('adds zeros behind convolutions without a bias, and moves the names of the output', async () => {
    const b = new ModelBuilder();
    const conv = b.convolution(b.parameter('x', [1, 2, 4, 4]), b.weights('w', [3, 2, 3, 3]));
    conv.names = ['y'];
    b.result(conv);
    assert.equal(await changes(b.model, insertBias), 1);
    assert.deepEqual(b.model.node('conv/bias').output.fact.shape, [1, 3, 1, 1]);
    assert.deepEqual(b.model.node('conv/add_bias').output.names, ['y']);
    assert.equal(await changes(b.model, insertBias), 0);
  });

  it('leaves a convolution with a bias, and adds one where the Add is not a bias', async () => {
    const b = new ModelBuilder();
    const x = b.parameter('x', [1, 2, 4, 4]);
    b.result(b.op('Add', [b.weights('b', [1, 3, 1, 1]), b.convolution(x, b.weights('w', [3, 2, 3, 3]), 'with')]));
    const residual = b.convolution(x, b.weights('v', [1, 2, 2, 3, 3]).node.outputs[0]!, 'residual', 'GroupConvolution');
    b.result(b.op('Add', [residual, x], {}, 'sum'));
    assert.equal(await changes(b.model, insertBias), 1);
    assert.equal(b.model.node('sum').source(0)?.node.name, 'residual/add_bias');
  });
});

describe('eliminateNoOp', () => {
  const size = (b: ModelBuilder, name: string, values: number[]): OutputPort =>
    b.constant(name, [values.length], values, 'i64');
  const cases: [string, boolean, (b: ModelBuilder, x: OutputPort) => OutputPort][] = [
    ['Reshape to the same shape', true, (b, x) => b.op('Reshape', [x, size(b, 's', [2, -1])], { special_zero: false })],
    ['Reshape to another shape', false, (b, x) => b.op('Reshape', [x, size(b, 's', [3, 2])], { special_zero: false })],
    ['Transpose in the given order', true, (b, x) => b.op('Transpose', [x, size(b, 'o', [0, 1])])],
    ['Transpose with an empty order', false, (b, x) => b.op('Transpose', [x, b.constant('o', [0], [], 'i64')])],
    ['Convert to the same type', true, (b, x) => b.op('Convert', [x], { destination_type: 'f32' })],
    ['Concat of one', true, (b, x) => b.op('Concat', [x], { axis: 0 })],
    ['Split into one', true, (b, x) => b.op('Split', [x, b.constant('axis', [], [0], 'i64')], { num_splits: 1 })],
    [
      'StridedSlice of everything',
      true,
      (b, x) =>
        b.op('StridedSlice', [x, size(b, 'b', [0, 0]), size(b, 'e', [2, 3]), size(b, 't', [1, 1])], {
          begin_mask: [0, 0],
          end_mask: [0, 0],
        }),
    ],
    [
      'StridedSlice that reverses',
      false,
      (b, x) =>
        b.op('StridedSlice', [x, size(b, 'b', [0, 0]), size(b, 'e', [0, 0]), size(b, 't', [-1, 1])], {
          begin_mask: [1, 1],
          end_mask: [1, 1],
        }),
    ],
    [
      'Pad by nothing',
      true,
      (b, x) => b.op('Pad', [x, size(b, 'b', [0, 0]), size(b, 'e', [0, 0])], { pad_mode: 'edge' }),
    ],
  ];
  for (const [what, fires, build] of cases) {
    it(`${fires ? 'removes' : 'leaves'} ${what}`, async () => {
      const b = new ModelBuilder();
      b.result(b.op('ReLU', [build(b, b.op('Abs', [b.parameter('x', [2, 3])]))]));
      assert.equal(await changes(b.model, eliminateNoOp), fires ? 1 : 0);
    });
  }

  it('moves the name of an output to what is left, and stays where an input would become the output', async () => {
    const b = new ModelBuilder();
    const x = b.parameter('x', [2]);
    const relu = b.op('ReLU', [x], {}, 'inner');
    relu.names = ['inner_name'];
    b.result(b.op('Convert', [relu], { destination_type: 'f32' }, 'outer'));
    b.result(b.op('Convert', [x], { destination_type: 'f32' }, 'copy'));
    assert.equal(await changes(b.model, eliminateNoOp), 1);
    assert.deepEqual(b.model.results().map(outputName), ['outer', 'copy']);
  });
});

describe('shareConstants', () => {
  it('merges equal constants, and keeps those that differ in type, shape or value', async () => {
    const b = new ModelBuilder();
    let x = b.parameter('x', [2]);
    for (const [i, c] of [
      b.constant('a', [2], [1, 2]),
      b.constant('b', [2], [1, 2]),
      b.constant('c', [1, 2], [1, 2]),
      b.constant('d', [2], [1, 3]),
    ].entries()) {
      x = b.op('Add', [x, c], {}, `add${i}`);
    }
    b.result(x);
    assert.equal(await changes(b.model, shareConstants), 1);
    assert.equal(b.model.node('add1').source(1)?.node.name, 'a');
  });
});

describe('normalizeMatMul', () => {
  it('stores weights with one row per output channel', async () => {
    const b = new ModelBuilder();
    const w = b.constant('w', [2, 3], [1, 2, 3, 4, 5, 6]);
    b.result(b.op('MatMul', [b.parameter('x', [4, 2]), w], { transpose_a: false, transpose_b: false }));
    assert.equal(await changes(b.model, normalizeMatMul), 1);
    const stored = b.model.node('matmul').source(1)!;
    assert.deepEqual([stored.fact.shape, stored.fact.value?.data], [[3, 2], Float32Array.of(1, 4, 2, 5, 3, 6)]);
    assert.equal(await changes(b.model, normalizeMatMul), 0);
  });

  it('transposes stacks of matrices, and leaves vectors and computed operands', async () => {
    const stack = new ModelBuilder();
    stack.result(stack.op('MatMul', [stack.parameter('x', [2, 4, 3]), stack.weights('w', [2, 3, 5])]));
    assert.equal(await changes(stack.model, normalizeMatMul), 1);
    const others = new ModelBuilder();
    const x = others.parameter('x', [4, 3]);
    others.result(others.op('MatMul', [x, others.weights('v', [3])]));
    others.result(others.op('MatMul', [x, others.parameter('y', [3, 2])]));
    assert.equal(await changes(others.model, normalizeMatMul), 0);
  });
});

describe('decompressConstants and promoteHalf', () => {
  it('turns constants behind a Convert into f32 and remembers what they were', async () => {
    const b = new ModelBuilder();
    const half = b.constant('w_half', [2], [0x3c00, 0x3555], 'u16').node;
    const stored = addNode(b.model, {
      type: 'Constant',
      name: 'h',
      attributes: {},
      outputs: [{ type: 'f16', shape: [2], value: { type: 'f16', shape: [2], data: half.output.fact.value!.data } }],
    });
    const wide = b.op('Convert', [stored.output], { destination_type: 'f32' }, 'w');
    b.result(b.op('Multiply', [b.parameter('x', [2]), wide]));
    stored.attributes = { value: stored.output.fact.value };
    assert.equal(await changes(b.model, decompressConstants), 1);
    const { output, notes } = b.model.node('w');
    assert.deepEqual([output.node.type, notes.storedAs, output.fact.value?.data[0]], ['Constant', 'f16', 1]);
    assert.equal(await changes(b.model, decompressConstants), 0);
  });

  it('makes a model that computes in f16 compute in f32', () => {
    const b = new ModelBuilder();
    const x = b.parameter('x', [2], 'f16');
    const c = b.constant('c', [2], [0x3c00, 0x4000], 'f16');
    b.result(b.op('Add', [b.op('Convert', [x], { destination_type: 'f16' }), c]));
    assert.ok(promoteHalf.run(b.model, {}) >= 3);
    for (const node of b.model.nodes()) assert.equal(node.output.fact.type, 'f32', node.name);
    assert.deepEqual(b.model.node('c').output.fact.value?.data, Float32Array.of(1, 2));
    assert.equal(b.model.node('c').notes.storedAs, 'f16');
    assert.equal(promoteHalf.run(b.model, {}), 0);
  });

  it('forgets zero points of stored weights that half precision does not tell from 0', () => {
    const b = new ModelBuilder();
    const [noise, half] = [0x8080, 0x3800]; // -2^-17 and 0.5
    const f16 = (name: string, values: number[]) => b.constant(name, [2], values, 'f16');
    const stored = b.op('Convert', [b.constant('bytes', [2], [-4, 127], 'i8')], { destination_type: 'f16' });
    const other = b.parameter('x', [2], 'f16');
    b.result(b.op('Subtract', [stored, f16('zero', [noise, half])]));
    b.result(b.op('Subtract', [other, f16('shift', [noise, half])]));
    promoteHalf.run(b.model, {});
    assert.deepEqual(b.model.node('zero').output.fact.value?.data, Float32Array.of(0, 0.5));
    assert.deepEqual(b.model.node('shift').output.fact.value?.data, Float32Array.of(-(2 ** -17), 0.5));
  });
});

describe('propagateShapes', () => {
  it('infers again what depends on a changed input', () => {
    const b = new ModelBuilder();
    const x = b.parameter('x', [1, 2]);
    b.result(b.op('ReLU', [x]));
    assert.equal(propagateShapes.run(b.model, {}), 0);
    x.node.attributes = { ...x.node.attributes, shape: [5, 2] };
    assert.equal(propagateShapes.run(b.model, {}), 3);
    assert.deepEqual(b.model.node('relu').output.fact.shape, [5, 2]);
  });
});

describe('the pipelines', () => {
  function net(): ModelBuilder {
    const b = new ModelBuilder();
    const x = b.parameter('x', [1, 2, 6, 6]);
    const scaled = b.op('Multiply', [x, b.constant('k', [], [0.25])], {}, 'prescale');
    const conv = b.convolution(scaled, b.weights('w', [3, 2, 3, 3]));
    const relu = b.op('ReLU', [batchNorm(b, conv, 3)]);
    const flat = b.op('Reshape', [relu, b.constant('s', [2], [1, -1], 'i64')], { special_zero: false });
    const dense = b.op('MatMul', [flat, b.weights('fc', [108, 4])], { transpose_a: false, transpose_b: false });
    b.result(b.op('Add', [dense, b.weights('fb', [1, 4])], {}, 'logits'));
    return b;
  }

  for (const [name, prepare] of [
    ['prepareForQuantization', prepareForQuantization],
    ['prepareForExecution', prepareForExecution],
  ] as const) {
    it(`${name} keeps the function and is done after one run`, async () => {
      const { model } = net();
      const feeds = randomFeeds(model);
      const before = await evaluate(model, feeds);
      prepare(model);
      await assertClose(model, feeds, before);
      assert.deepEqual(typesOf(model), [
        'Parameter',
        'Multiply',
        'Convolution',
        'Add',
        'ReLU',
        'Reshape',
        'MatMul',
        'Add',
        'Result',
      ]);
      const counts: number[] = [];
      prepare(model, { onEvent: (e) => e.kind === 'pass:done' && counts.push(e.matches) });
      assert.ok(counts.length >= 9 && counts.every((c) => c === 0), counts.join());
    });
  }
});
