import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { compileNative } from '../../lib/engines/native-engine.ts';
import { LowpError } from '../../lib/errors/lowp-error.ts';
import type { Model } from '../../lib/graph/model.ts';
import type { IsaName } from '../../lib/native/addon.ts';
import { createNode } from '../../lib/ops/index.ts';
import type { ElementType } from '../../lib/tensor/element-type.ts';
import { elementCount, type Shape } from '../../lib/tensor/shape.ts';
import { type Tensor, tensor } from '../../lib/tensor/tensor.ts';
import { random } from '../../lib/util/random.ts';
import { runnableIsas } from '../support/isas.ts';
import { evaluate, ModelBuilder } from '../support/model-builder.ts';

/** One operation: its inputs, which of them are constants, and its attributes. */
interface Plan {
  readonly op: string;
  readonly attributes?: Readonly<Record<string, unknown>>;
  readonly inputs: readonly Tensor[];
  readonly constants: readonly boolean[];
  readonly outputs?: number;
}

const dataTypes: readonly ElementType[] = ['f32', 'i32', 'i64', 'u8', 'i8', 'i16', 'boolean'];

function numbers(type: ElementType, shape: Shape, seed: number): Tensor {
  const { normal } = random(seed);
  const top = type === 'boolean' ? 2 : 100;
  const value = () => (type === 'f32' ? normal() : Math.floor(Math.abs(normal() * 1000)) % top);
  return tensor(type, shape, Array.from({ length: elementCount(shape) }, value));
}

/** Positions on axes of these sizes, one after the other; half of them count from the end. */
function positions(type: ElementType, shape: Shape, sizes: readonly number[], seed: number): Tensor {
  const { normal } = random(seed);
  const at = (i: number) => {
    const size = sizes[i % sizes.length]!;
    return (Math.floor(Math.abs(normal() * 1e4)) % (2 * size)) - size;
  };
  return tensor(
    type,
    shape,
    Array.from({ length: elementCount(shape) }, (_, i) => at(i)),
  );
}

function modelOf(plan: Plan): { model: Model; feeds: Record<string, Tensor> } {
  const b = new ModelBuilder();
  const feeds: Record<string, Tensor> = {};
  const inputs = plan.inputs.map((value, i) => {
    const name = `input${i}`;
    if (plan.constants[i]) return b.constant(name, value.shape, [...value.data].map(Number), value.type);
    feeds[name] = value;
    return b.parameter(name, value.shape, value.type);
  });
  const attributes = plan.attributes ?? {};
  const node = createNode(b.model, { type: plan.op, name: 'operation', attributes, inputs });
  for (let i = 0; i < (plan.outputs ?? 1); i++)
    createNode(b.model, { type: 'Result', name: `result${i}`, attributes: {}, inputs: [node.outputs[i]!] });
  return { model: b.model, feeds };
}

/** The native engine runs everything in kernels, and gives the reference's elements. */
async function expectNative(plan: Plan, isas: readonly IsaName[] = ['scalar']): Promise<void> {
  const { model, feeds } = modelOf(plan);
  const expected = await evaluate(model, feeds);
  for (const maxIsa of isas) {
    await using executable = await compileNative(model, { maxIsa, threads: 2 });
    const hosts = executable.steps.flatMap((s) => (s.kind === 'host' ? [`${s.node.type}: ${s.reason}`] : []));
    assert.deepEqual(hosts, []);
    const { outputs } = await executable.run(feeds);
    for (const [name, value] of Object.entries(expected)) assert.deepEqual(outputs[name], value, `${maxIsa}: ${name}`);
  }
}

const size = fc.integer({ min: 1, max: 5 });
const seed = fc.integer({ min: 1, max: 1e6 });
const indexType = fc.constantFrom<ElementType>('i32', 'i64');
const dataType = fc.constantFrom(...dataTypes);
const flag = fc.boolean();

test('Gather: any axis, type, rank of indices and batch', async () => {
  const plan = fc
    .record({ data: fc.array(size, { minLength: 1, maxLength: 5 }), own: fc.array(size, { maxLength: 2 }) })
    .chain(({ data, own }) =>
      fc.integer({ min: 0, max: data.length - 1 }).chain((axis) =>
        fc.record({
          data: fc.constant(data),
          own: fc.constant(own),
          axis: fc.constant(axis),
          batch: fc.integer({ min: 0, max: axis }),
          type: dataType,
          index: indexType,
          seed,
          isKnown: flag,
        }),
      ),
    );
  await fc.assert(
    fc.asyncProperty(plan, (p) => {
      const shape = [...p.data.slice(0, p.batch), ...p.own];
      const indices = positions(p.index, shape, [p.data[p.axis]!], p.seed);
      const axis = tensor('i64', [], [p.axis]);
      return expectNative({
        op: 'Gather',
        attributes: { batch_dims: p.batch },
        inputs: [numbers(p.type, p.data, p.seed), indices, axis],
        constants: [false, p.isKnown, true],
      });
    }),
    { numRuns: 150 },
  );
});

/** Data, and indices of the same rank that fit it but for one axis. */
const besideAxis = fc
  .array(fc.record({ size, share: fc.double({ min: 0, max: 1, noNaN: true }) }), { minLength: 1, maxLength: 5 })
  .chain((dims) =>
    fc.record({
      data: fc.constant(dims.map((d) => d.size)),
      own: fc.constant(dims.map((d) => Math.max(1, Math.round(d.size * d.share)))),
      axis: fc.integer({ min: 0, max: dims.length - 1 }),
      reach: size,
      type: dataType,
      index: indexType,
      seed,
      isKnown: flag,
    }),
  );

test('GatherElements: indices smaller than the data on other axes', async () => {
  await fc.assert(
    fc.asyncProperty(besideAxis, (p) => {
      const indices = positions(p.index, p.own.with(p.axis, p.reach), [p.data[p.axis]!], p.seed);
      return expectNative({
        op: 'GatherElements',
        attributes: { axis: p.axis },
        inputs: [numbers(p.type, p.data, p.seed), indices],
        constants: [p.isKnown, false],
      });
    }),
    { numRuns: 100 },
  );
});

test('ScatterElementsUpdate: of several writes the last one stays', async () => {
  await fc.assert(
    fc.asyncProperty(besideAxis, (p) => {
      const shape = p.own.with(p.axis, p.reach);
      const indices = positions(p.index, shape, [p.data[p.axis]!], p.seed);
      return expectNative({
        op: 'ScatterElementsUpdate',
        inputs: [
          numbers(p.type, p.data, p.seed),
          indices,
          numbers(p.type, shape, p.seed + 1),
          tensor('i64', [], [p.axis]),
        ],
        constants: [p.isKnown, false, false, true],
      });
    }),
    { numRuns: 100 },
  );
});

test('ScatterUpdate: slices along any axis', async () => {
  await fc.assert(
    fc.asyncProperty(besideAxis, fc.array(size, { maxLength: 2 }), (p, own) => {
      const indices = positions(p.index, own, [p.data[p.axis]!], p.seed);
      const updates = [...p.data.slice(0, p.axis), ...own, ...p.data.slice(p.axis + 1)];
      return expectNative({
        op: 'ScatterUpdate',
        inputs: [
          numbers(p.type, p.data, p.seed),
          indices,
          numbers(p.type, updates, p.seed + 1),
          tensor('i32', [1], [p.axis]),
        ],
        constants: [false, p.isKnown, false, true],
      });
    }),
    { numRuns: 100 },
  );
});

/** Data, how many of its axes are common, and how many are named. */
const named = fc.array(size, { minLength: 1, maxLength: 5 }).chain((data) =>
  fc.integer({ min: 1, max: data.length }).chain((depth) =>
    fc.record({
      data: fc.constant(data),
      depth: fc.constant(depth),
      batch: fc.integer({ min: 0, max: data.length - depth }),
      own: fc.array(size, { maxLength: 2 }),
      type: dataType,
      index: indexType,
      seed,
      isKnown: flag,
    }),
  ),
);

test('GatherND: tuples of indices behind common axes', async () => {
  await fc.assert(
    fc.asyncProperty(named, (p) => {
      const shape = [...p.data.slice(0, p.batch), ...p.own, p.depth];
      const indices = positions(p.index, shape, p.data.slice(p.batch, p.batch + p.depth), p.seed);
      return expectNative({
        op: 'GatherND',
        attributes: { batch_dims: p.batch },
        inputs: [numbers(p.type, p.data, p.seed), indices],
        constants: [false, p.isKnown],
      });
    }),
    { numRuns: 100 },
  );
});

test('ScatterNDUpdate: tuples of indices', async () => {
  await fc.assert(
    fc.asyncProperty(named, (p) => {
      const indices = positions(p.index, [...p.own, p.depth], p.data.slice(0, p.depth), p.seed);
      const updates = [...p.own, ...p.data.slice(p.depth)];
      return expectNative({
        op: 'ScatterNDUpdate',
        inputs: [numbers(p.type, p.data, p.seed), indices, numbers(p.type, updates, p.seed + 1)],
        constants: [false, p.isKnown, false],
      });
    }),
    { numRuns: 100 },
  );
});

const reductions = ['sum', 'prod', 'min', 'max', 'mean'] as const;

test('scatters that reduce: every reduction of floats and whole numbers, with and without what was there', async () => {
  const special = [Number.NaN, -0, 0, Number.POSITIVE_INFINITY, 2 ** 31 - 1, -(2 ** 31)];
  const some = (type: ElementType, shape: Shape, seed: number): Tensor => {
    const plain = numbers(type, shape, seed);
    const at = type === 'f32' ? seed % special.length : 4 + (seed % 2);
    const values = [...plain.data].map((v, i) => (i % 5 === seed % 5 ? special[at]! : Number(v) - 30));
    return tensor(type, shape, values);
  };
  const isNumber = (values: Tensor) => ({ ...values, data: [...values.data].map(Number) });
  const same = async (plan: Plan) => {
    const { model, feeds } = modelOf(plan);
    const expected = await evaluate(model, feeds);
    await using executable = await compileNative(model, { threads: 2 });
    assert.ok(executable.steps.every((s) => s.kind === 'native'));
    const { outputs } = await executable.run(feeds);
    for (const [name, value] of Object.entries(expected)) assert.deepEqual(isNumber(outputs[name]!), isNumber(value));
  };
  const numeric = fc.constantFrom<ElementType>('f32', 'i32', 'i64');
  await fc.assert(
    fc.asyncProperty(besideAxis, numeric, fc.constantFrom(...reductions), flag, async (p, type, reduction, keeps) => {
      const shape = p.own.with(p.axis, p.reach);
      const indices = positions(p.index, shape, [p.data[p.axis]!], p.seed);
      const updates = some(type, shape, p.seed + 1);
      await same({
        op: 'ScatterElementsUpdate',
        attributes: { reduction, use_init_val: keeps },
        inputs: [some(type, p.data, p.seed), indices, updates, tensor('i64', [], [p.axis])],
        constants: [p.isKnown, false, false, true],
      });
    }),
    { numRuns: 150 },
  );
  await fc.assert(
    fc.asyncProperty(
      named,
      numeric,
      fc.constantFrom('sum', 'sub', 'prod', 'min', 'max'),
      async (p, type, reduction) => {
        const indices = positions(p.index, [...p.own, p.depth], p.data.slice(0, p.depth), p.seed);
        const updates = some(type, [...p.own, ...p.data.slice(p.depth)], p.seed + 1);
        await same({
          op: 'ScatterNDUpdate',
          attributes: { reduction },
          inputs: [some(type, p.data, p.seed), indices, updates],
          constants: [false, p.isKnown, false],
        });
      },
    ),
    { numRuns: 100 },
  );
});

test('TopK tells whole numbers apart that doubles do not', async () => {
  const near = 2n ** 60n;
  const x: Tensor = { type: 'i64', shape: [4], data: BigInt64Array.of(near, near + 1n, -near - 1n, near) };
  for (const mode of ['max', 'min']) {
    const attributes = { axis: 0, mode, sort: 'value', index_element_type: 'i32' };
    const plan = { op: 'TopK', attributes, inputs: [x, tensor('i64', [], [4])], constants: [false, true], outputs: 2 };
    const { model, feeds } = modelOf(plan);
    const [, found] = Object.values(await evaluate(model, feeds));
    assert.deepEqual([...found!.data], mode === 'max' ? [1, 0, 3, 2] : [2, 0, 3, 1]);
    await expectNative(plan);
  }
});

test('TopK: both ends, every order, ties, every type', async () => {
  const plan = fc.record({ data: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 }), seed });
  await fc.assert(
    fc.asyncProperty(
      plan.chain(({ data, seed }) =>
        fc.integer({ min: 0, max: data.length - 1 }).chain((axis) =>
          fc.record({
            data: fc.constant(data),
            seed: fc.constant(seed),
            axis: fc.constant(axis),
            k: fc.integer({ min: 1, max: data[axis]! }),
            mode: fc.constantFrom('max', 'min'),
            sort: fc.constantFrom('value', 'index', 'none'),
            index: indexType,
            type: fc.constantFrom<ElementType>('f32', 'i32', 'i64'),
          }),
        ),
      ),
      (p) => {
        const { normal } = random(p.seed);
        const special = [Number.NaN, 0, -0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1];
        const value = () => {
          const v = normal();
          const pick = Math.floor(Math.abs(v) * 1e5);
          if (p.type !== 'f32') return (pick % 7) - 3;
          return pick % 2 === 0 ? special[pick % special.length]! : v;
        };
        const x = tensor(p.type, p.data, Array.from({ length: elementCount(p.data) }, value));
        return expectNative({
          op: 'TopK',
          attributes: { axis: p.axis, mode: p.mode, sort: p.sort, index_element_type: p.index },
          inputs: [x, tensor('i64', [], [p.k])],
          constants: [false, true],
          outputs: 2,
        });
      },
    ),
    { numRuns: 150 },
  );
});

test('MaxPool: maxima and positions on one to three axes', async () => {
  const plan = fc.record({
    spatial: fc.array(fc.integer({ min: 3, max: 7 }), { minLength: 1, maxLength: 3 }),
    channels: fc.constantFrom(1, 3, 17),
    kernel: fc.integer({ min: 1, max: 3 }),
    stride: fc.integer({ min: 1, max: 2 }),
    pad: fc.integer({ min: 0, max: 1 }),
    axis: fc.integer({ min: -2, max: 2 }),
    index: indexType,
    seed,
    isCoarse: flag,
  });
  await fc.assert(
    fc.asyncProperty(plan, (p) => {
      const pads = p.spatial.map(() => Math.min(p.pad, p.kernel - 1));
      const x = numbers('f32', [2, p.channels, ...p.spatial], p.seed);
      const values = p.isCoarse ? (x.data as Float32Array).map(Math.round) : x.data;
      const attributes = {
        kernel: p.spatial.map(() => p.kernel),
        strides: p.spatial.map(() => p.stride),
        pads_begin: pads,
        pads_end: pads,
        axis: p.axis,
        index_element_type: p.index,
      };
      const inputs = [{ ...x, data: values }];
      return expectNative({ op: 'MaxPool', attributes, inputs, constants: [false], outputs: 2 }, runnableIsas());
    }),
    { numRuns: 40 },
  );
});

test('an index outside of its axis ends the run with the same error on both engines', async () => {
  const data = tensor('f32', [3, 2], [1, 2, 3, 4, 5, 6]);
  const bad = tensor('i64', [2, 1], [0, 3]);
  const plans: readonly Plan[] = [
    { op: 'GatherND', inputs: [data, bad], constants: [false, false] },
    { op: 'GatherElements', attributes: { axis: 0 }, inputs: [data, bad], constants: [false, false] },
    {
      op: 'ScatterNDUpdate',
      inputs: [data, bad, tensor('f32', [2, 2], [9, 9, 9, 9])],
      constants: [false, false, false],
    },
    {
      op: 'ScatterElementsUpdate',
      inputs: [data, bad, tensor('f32', [2, 1], [9, 9]), tensor('i64', [], [0])],
      constants: [false, false, false, true],
    },
    {
      op: 'ScatterUpdate',
      inputs: [data, bad, tensor('f32', [2, 1, 2], [9, 9, 9, 9]), tensor('i64', [], [0])],
      constants: [false, false, false, true],
    },
  ];
  const refuses = (error: unknown): true => {
    assert.ok(error instanceof LowpError);
    assert.equal(error.code, 'ERR_SHAPE_MISMATCH');
    assert.match(error.message, /index 3 .*lies outside of an axis with 3 elements/);
    return true;
  };
  for (const plan of plans) {
    const { model, feeds } = modelOf(plan);
    await assert.rejects(evaluate(model, feeds), refuses, plan.op);
    await using executable = await compileNative(model, { threads: 2 });
    assert.ok(
      executable.steps.every((s) => s.kind === 'native'),
      plan.op,
    );
    await assert.rejects(executable.run(feeds), refuses, plan.op);
    const good = await executable.run({ ...feeds, input1: { ...bad, data: BigInt64Array.of(0n, -3n) } });
    assert.equal(Object.keys(good.outputs).length, 1, 'the executable goes on');
  }
});
