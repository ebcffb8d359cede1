// Values whose rank is known only when a model runs: what squeezes that depend on a size leave behind.
import assert from 'node:assert/strict';
import test from 'node:test';
import { compileNative } from '../../../lib/engines/native-engine.ts';
import { referenceEngine } from '../../../lib/engines/reference-engine.ts';
import { compile } from '../../../lib/engines/session.ts';
import { LowpError } from '../../../lib/errors/lowp-error.ts';
import { readIr } from '../../../lib/formats/ir/read.ts';
import { writeIr } from '../../../lib/formats/ir/write.ts';
import { GraphWriter } from '../../../lib/formats/onnx/export/graph-writer.ts';
import { readOnnx } from '../../../lib/formats/onnx/read.ts';
import { writeOnnx } from '../../../lib/formats/onnx/write.ts';
import type { Model } from '../../../lib/graph/model.ts';
import { printModel } from '../../../lib/graph/print.ts';
import { verify } from '../../../lib/graph/verify.ts';
import { hasRank } from '../../../lib/tensor/shape.ts';
import { type Tensor, tensor } from '../../../lib/tensor/tensor.ts';
import { ModelBuilder } from '../../support/model-builder.ts';
import { bodyProto, node, type OnnxSpec, onnxBytes } from '../../support/onnx.ts';

type Feeds = Readonly<Record<string, Tensor>>;

const f32 = (shape: readonly number[], values: readonly number[]) => tensor('f32', shape, values);
const i64 = (...values: number[]) => tensor('i64', [values.length], values);
const scalars = { zero: tensor('i64', [], [0]), one: tensor('i64', [], [1]) };

/** `to` is `from` without axis 1 where that has one element, else `from`: how PyTorch writes squeeze(1). */
function squeezed(from: string, to: string): OnnxSpec['nodes'] {
  return [
    node('Shape', [from], [`${to}.shape`]),
    node('Gather', [`${to}.shape`, 'one'], [`${to}.size`]),
    node('Equal', [`${to}.size`, 'one'], [`${to}.is`]),
    node('If', [`${to}.is`], [to], {
      then_branch: bodyProto({
        nodes: [node('Squeeze', [from, 'axes'], [`${to}.s`])],
        outputs: { [`${to}.s`]: ['f32', [-1]] },
      }),
      else_branch: bodyProto({
        nodes: [node('Identity', [from], [`${to}.i`])],
        outputs: { [`${to}.i`]: ['f32', [-1]] },
      }),
    }),
  ];
}

const initializers = { ...scalars, axes: i64(1) };

/** The model as it was read, and as it comes back from files of both formats. */
function forms(spec: OnnxSpec): Model[] {
  const model = readOnnx(onnxBytes(spec));
  const { xml, bin } = writeIr(model);
  const fromIr = readIr(xml, bin);
  assert.deepEqual(writeIr(fromIr).xml, xml);
  return [model, fromIr, readOnnx(writeOnnx(model)), readOnnx(writeOnnx(fromIr))];
}

async function expectRuns(spec: OnnxSpec, runs: readonly { readonly feeds: Feeds; readonly outputs: Feeds }[]) {
  for (const model of forms(spec)) {
    verify(model);
    for (const { feeds, outputs } of runs) {
      const shapes = Object.fromEntries(Object.entries(feeds).map(([name, t]) => [name, t.shape]));
      for (const engine of [referenceEngine, { compile: compileNative }]) {
        await using executable = await engine.compile(model.clone(), { shapes });
        assert.deepEqual((await executable.run(feeds)).outputs, outputs);
      }
      await using session = await compile(model);
      assert.deepEqual(await session.infer(feeds), outputs);
    }
  }
}

const open = { x: ['f32', [-1, -1]] } as const;

test('a squeeze that depends on a size gives a value of unknown rank, which the shapes of a run decide', async () => {
  const spec: OnnxSpec = {
    inputs: open,
    initializers: { ...initializers, b: f32([1], [0.5]) },
    nodes: [
      ...squeezed('x', 's'),
      node('Relu', ['s'], ['r']),
      node('Add', ['r', 'b'], ['a']),
      node('Shape', ['a'], ['d']),
      node('Unsqueeze', ['a', 'front'], ['y']),
      node('ReduceSum', ['a', 'front'], ['z'], { keepdims: 0n }),
    ],
    outputs: ['y', 'd', 'z'],
  };
  const given = { ...spec, initializers: { ...spec.initializers, front: i64(0) } };
  const model = readOnnx(onnxBytes(given));
  const ranks = model.results().map((r) => hasRank(r.source(0)!.fact.shape));
  assert.deepEqual(ranks, [false, true, false]);
  assert.match(printModel(model), / : f32\[\.\.\.\]/);
  await expectRuns(given, [
    {
      feeds: { x: f32([3, 1], [-1, 2, 3]) },
      outputs: { y: f32([1, 3], [0.5, 2.5, 3.5]), d: i64(3), z: f32([], [6.5]) },
    },
    {
      feeds: { x: f32([1, 2], [-1, 2]) },
      outputs: { y: f32([1, 1, 2], [0.5, 2.5]), d: i64(1, 2), z: f32([2], [0.5, 2.5]) },
    },
  ]);
});

test('the body of a Loop is handed a value of unknown rank, and makes ones', async () => {
  const body = bodyProto({
    inputs: { i: ['i64', []], going: ['boolean', []], v: ['f32', [-1]] },
    nodes: [node('Identity', ['going'], ['on']), ...squeezed('x', 's'), node('Mul', ['v', 's'], ['next'])],
    outputs: { on: ['boolean', []], next: ['f32', [-1]] },
  });
  const spec: OnnxSpec = {
    inputs: { ...open, m: ['i64', []] },
    initializers,
    nodes: [...squeezed('x', 'first'), node('Loop', ['m', '', 'first'], ['y'], { body })],
    outputs: ['y'],
  };
  const m = tensor('i64', [], [2]);
  await expectRuns(spec, [
    { feeds: { x: f32([2, 1], [2, 3]), m }, outputs: { y: f32([2], [8, 27]) } },
    { feeds: { x: f32([1, 2], [2, 3]), m }, outputs: { y: f32([1, 2], [8, 27]) } },
  ]);
});

test('a value that a Loop gives another rank in its first iteration has no known rank', async () => {
  const body = bodyProto({
    inputs: { i: ['i64', []], going: ['boolean', []], v: ['f32', [-1]] },
    nodes: [node('Identity', ['going'], ['on']), node('Unsqueeze', ['v', 'axes'], ['next'])],
    outputs: { on: ['boolean', []], next: ['f32', [-1]] },
  });
  const spec: OnnxSpec = {
    inputs: { x: ['f32', [2]], m: ['i64', []] },
    initializers,
    nodes: [node('Loop', ['m', '', 'x'], ['y'], { body })],
    outputs: ['y'],
  };
  assert.equal(hasRank(readOnnx(onnxBytes(spec)).results()[0]!.source(0)!.fact.shape), false);
  await expectRuns(spec, [
    { feeds: { x: f32([2], [1, 2]), m: tensor('i64', [], [3]) }, outputs: { y: f32([2, 1, 1, 1], [1, 2]) } },
    { feeds: { x: f32([2], [1, 2]), m: tensor('i64', [], [0]) }, outputs: { y: f32([2], [1, 2]) } },
  ]);
});

/** `y = c ? convolution of s : s`, where only a value that was not squeezed has the rank that a convolution takes. */
function guarded(x: readonly number[]): OnnxSpec {
  return {
    inputs: { c: ['boolean', []], x: ['f32', x] },
    initializers: { ...initializers, w: f32([1, 2, 1], [1, 10]) },
    nodes: [
      ...squeezed('x', 's'),
      node('If', ['c'], ['y'], {
        then_branch: bodyProto({ nodes: [node('Conv', ['s', 'w'], ['t'])], outputs: { t: ['f32', [1, 1, -1]] } }),
        else_branch: bodyProto({ nodes: [node('Relu', ['s'], ['e'])], outputs: { e: ['f32', [-1]] } }),
      }),
    ],
    outputs: ['y'],
  };
}

const truth = (value: number) => tensor('boolean', [], [value]);

test('a branch that cannot run with the shapes that are known counts when it is taken only', async () => {
  const x = f32([1, 1, 2], [-1, 2]);
  const spec = guarded([1, 1, 2]);
  await expectRuns(spec, [{ feeds: { c: truth(0), x }, outputs: { y: f32([1, 2], [0, 2]) } }]);
  for (const model of forms(spec)) {
    assert.deepEqual(model.results()[0]!.source(0)!.fact.shape, [1, 2]);
    for (const engine of [referenceEngine, { compile: compileNative }]) {
      await using executable = await engine.compile(model);
      await assert.rejects(executable.run({ c: truth(1), x }), (e) => e instanceof LowpError && /rank/.test(e.message));
    }
  }
});

test('the same branch runs with shapes that fit it', async () => {
  const x = f32([1, 2, 2], [1, 2, 3, 4]);
  await expectRuns(guarded([-1, -1, -1]), [
    { feeds: { c: truth(1), x }, outputs: { y: f32([1, 1, 2], [31, 42]) } },
    { feeds: { c: truth(0), x }, outputs: { y: x } },
    { feeds: { c: truth(0), x: f32([1, 1, 1], [5]) }, outputs: { y: f32([1, 1], [5]) } },
  ]);
});

test('an input without a shape has any', async () => {
  const proto: OnnxSpec = {
    inputs: { x: ['f32', [-2]] },
    initializers: scalars,
    nodes: [node('Relu', ['x'], ['y'])],
    outputs: ['y'],
  };
  await expectRuns(proto, [
    { feeds: { x: f32([2], [-1, 2]) }, outputs: { y: f32([2], [0, 2]) } },
    { feeds: { x: f32([], [3]) }, outputs: { y: f32([], [3]) } },
  ]);
});

test('an operator that is another operation for each rank is refused, with the way out', () => {
  const spec: OnnxSpec = {
    inputs: open,
    initializers,
    nodes: [...squeezed('x', 's'), node('Transpose', ['s'], ['y'], {}, 'turn')],
    outputs: ['y'],
  };
  assert.throws(
    () => readOnnx(onnxBytes(spec)),
    (e) => e instanceof LowpError && e.code === 'ERR_SHAPE_DYNAMIC' && e.node === 'turn' && /shapes/.test(e.help ?? ''),
  );
  assert.equal(
    readOnnx(onnxBytes(spec), { shapes: { x: [2, 3] } })
      .results()[0]!
      .source(0)!.fact.shape.length,
    2,
  );
});

test('what no rank allows is refused', () => {
  const spec: OnnxSpec = {
    inputs: open,
    initializers: { ...initializers, w: f32([1, 1], [1]) },
    nodes: [...squeezed('x', 's'), node('Conv', ['s', 'w'], ['y'], {}, 'conv')],
    outputs: ['y'],
  };
  assert.throws(
    () => readOnnx(onnxBytes(spec)),
    (e) => e instanceof LowpError && e.node === 'conv',
  );
});

test('axes that a run gives decide how many a sum or an insertion leaves', async () => {
  const b = new ModelBuilder('axes');
  const [x, axes] = [b.parameter('x', [1, 2, 1]), b.parameter('axes', [-1], 'i64')];
  b.result(b.op('ReduceSum', [x, axes], { keep_dims: false }), 'sum');
  b.result(b.op('Unsqueeze', [x, axes]), 'more');
  b.result(b.op('Tile', [x, axes]), 'tiled');
  const { model } = b;
  assert.deepEqual(
    model.results().map((r) => hasRank(r.source(0)!.fact.shape)),
    [false, false, false],
  );
  const { xml, bin } = writeIr(model);
  for (const form of [model, readIr(xml, bin)]) {
    await using session = await compile(form);
    for (const list of [[1], [1, 2]]) {
      const outputs = await session.infer({ x: f32([1, 2, 1], [3, 4]), axes: i64(...list) });
      const shapes = Object.values(outputs).map((t) => t.shape);
      const all = list.length;
      assert.deepEqual(shapes, [all === 1 ? [1, 1] : [1], all === 1 ? [1, 1, 2, 1] : [1, 1, 1, 2, 1], [1, 2, all]]);
      assert.deepEqual([...Object.values(outputs)[0]!.data], [7]);
    }
  }
});

test('more values of unknown rank than are tried together are refused, with the way out', () => {
  const names = [...'abcdefghi'];
  const spec = (count: number): OnnxSpec => ({
    inputs: Object.fromEntries(names.slice(0, count).map((name) => [name, ['f32', [-2]]])),
    nodes: [node('Sum', names.slice(0, count), ['y'], {}, 'total')],
    outputs: ['y'],
  });
  for (const count of [3, 4, 8]) readOnnx(onnxBytes(spec(count)));
  assert.throws(
    () => readOnnx(onnxBytes(spec(9))),
    (e) =>
      e instanceof LowpError && e.code === 'ERR_SHAPE_DYNAMIC' && e.node === 'total' && /shapes/.test(e.help ?? ''),
  );
});

test('an attempt to write leaves nothing behind', () => {
  const b = new ModelBuilder('writer');
  const x = b.parameter('x', [2]);
  const large = b.constant('large', [1000], new Array<number>(1000).fill(1));
  const y = b.op('Add', [x, x], {}, 'add');
  const writer = new GraphWriter();
  writer.define(x, writer.unique('x'));
  const write = (scale: number) => () => {
    writer.absorb(y.node);
    writer.define(x, writer.unique('x'));
    const scaled = writer.constant(f32([1], [scale]), 'scale');
    writer.node('Sum', [writer.nameOf(x), writer.nameOf(large), scaled], [writer.nameOf(y)], {}, 'add');
  };
  const text = writer.attempt(write(2));
  assert.ok(text.length < 2000, `${text.length} characters`);
  assert.equal(writer.attempt(write(2)), text);
  assert.notEqual(writer.attempt(write(3)), text);
  assert.throws(
    () =>
      writer.attempt(() => {
        write(2)();
        throw new LowpError('ERR_SHAPE_RANK', 'no such rank');
      }),
    LowpError,
  );
  assert.equal(
    writer.attempt(() => writer.attempt(write(2))),
    writer.attempt(() => {}),
  );
  assert.equal(writer.constantBytes, 0);
  assert.deepEqual([writer.isDefined(y), writer.isDefined(large), writer.isAbsorbed(y.node)], [false, false, false]);
  assert.equal(writer.nameOf(x), 'x');
  write(2)();
  const { nodes, initializers } = writer.finish(['add']);
  assert.deepEqual([nodes[0]!.name, nodes[0]!.input], ['add', ['x_1', 'large', 'scale']]);
  assert.equal(initializers.length, 2);
});
