import assert from 'node:assert/strict';
import test from 'node:test';
import type { OutputPort } from '../../lib/graph/node.ts';
import { formOf, Values } from '../../lib/lowering/values.ts';
import { compileProgram } from '../../lib/native/executable.ts';
import type { Layout, QuantFormat } from '../../lib/ops/lower-context.ts';
import { ProgramBuilder } from '../../lib/program/builder.ts';
import type { BufferId } from '../../lib/program/program.ts';
import type { TensorData } from '../../lib/tensor/element-type.ts';
import { elementCount, type Shape } from '../../lib/tensor/shape.ts';
import { ModelBuilder } from '../support/model-builder.ts';

interface Case {
  readonly builder: ProgramBuilder;
  readonly values: Values;
  readonly port: OutputPort;
}

function start(shape: Shape): Case {
  const builder = new ProgramBuilder();
  return { builder, values: new Values(builder), port: new ModelBuilder().parameter('x', shape) };
}

/** A case whose value is floats in a layout, in a program input. */
function floats(shape: Shape, layout: Layout): Case {
  const c = start(shape);
  const buffer = c.builder.input('x', 'f32', shape);
  c.values.define(c.port, formOf({ buffer, stride: shape[1] ?? 1, offset: 0 }, 'f32', layout));
  return c;
}

/** A case whose value is bytes, pixels `stride` apart from `offset` on. */
function bytes(shape: Shape, layout: Layout, format: QuantFormat, stride = shape[1]!, offset = 0): Case {
  const c = start(shape);
  const buffer = c.builder.input('x', 'u8', [(elementCount(shape) / shape[1]!) * stride]);
  c.values.define(c.port, formOf({ buffer, stride, offset }, 'u8', layout, format));
  return c;
}

/** Runs the calls and reads a buffer of floats back. */
async function read({ builder }: Case, from: BufferId, count: number, input: TensorData): Promise<number[]> {
  const out = builder.output('read', 'f32', [count]);
  const params = { rank: 1, d0: count, inStride0: 1, outStride0: 1 };
  builder.call('copy', params, { name: 'read', in: [from], out: [out] });
  await using executable = compileProgram(builder.finish(), { threads: 1 });
  return [...((await executable.run([input]))[0] as Float32Array)];
}

const kernels = (c: Case): string[] => c.builder.finish().calls.map((call) => call.kernel);
const format: QuantFormat = {
  scale: Float32Array.of(0.5),
  zero: Float32Array.of(10),
  zeroPoint: Uint8Array.of(10),
  low: 0,
  high: 255,
};
const counting = (n: number): Float32Array => Float32Array.from({ length: n }, (_, i) => i);

test('a form that exists is used as it is', () => {
  const c = floats([1, 2, 2, 2], 'plain');
  const known = c.values.float(c.port, 'plain');
  assert.equal(c.values.float(c.port, 'plain'), known);
  assert.deepEqual(kernels(c), []);
});

test('a change of order is emitted once', async () => {
  const c = floats([1, 2, 3, 1], 'plain');
  const changed = c.values.float(c.port, 'channelsLast');
  assert.equal(c.values.float(c.port, 'channelsLast'), changed);
  assert.deepEqual(kernels(c), ['copy']);
  assert.equal(c.values.layoutOf(c.port), 'channelsLast');
  assert.deepEqual(await read(c, changed, 6, counting(6)), [0, 3, 1, 4, 2, 5]);
});

test('channels last go back to the order of the model, for each image', async () => {
  const c = floats([2, 2, 2], 'channelsLast');
  assert.deepEqual(await read(c, c.values.float(c.port, 'plain'), 8, counting(8)), [0, 2, 1, 3, 4, 6, 5, 7]);
});

for (const shape of [[2, 5], [7], [], [3, 1, 4, 4], [3, 4, 1, 1]]) {
  test(`both orders of [${shape}] are the same memory`, () => {
    const c = floats(shape, 'plain');
    c.values.float(c.port, 'channelsLast');
    assert.deepEqual(kernels(c), []);
  });
}

test('bytes become floats in either order', async () => {
  for (const [layout, expected] of [
    ['channelsLast', [-5, -4.5, -4, -3.5]],
    ['plain', [-5, -4, -4.5, -3.5]],
  ] as const) {
    const c = bytes([1, 2, 1, 2], 'channelsLast', format);
    const found = await read(c, c.values.float(c.port, layout), 4, Uint8Array.of(0, 1, 2, 3));
    assert.deepEqual(found, expected);
    assert.deepEqual(kernels(c).slice(0, -1), ['dequantize'], 'in one call');
  }
});

test('bytes in the order of the model become floats, and then channels last', async () => {
  const c = bytes([1, 2, 1, 2], 'plain', format);
  const found = await read(c, c.values.float(c.port, 'channelsLast'), 4, Uint8Array.of(0, 1, 2, 3));
  assert.deepEqual(found, [-5, -4, -4.5, -3.5]);
});

test('bytes with a scale for each channel become floats', async () => {
  const zero = Float32Array.of(0, 4);
  const scales = { scale: Float32Array.of(1, 0.25), zero, zeroPoint: Uint8Array.from(zero), low: 0, high: 255 };
  const c = bytes([1, 2, 1, 2], 'channelsLast', scales);
  assert.deepEqual(await read(c, c.values.float(c.port, 'plain'), 4, Uint8Array.of(1, 8, 3, 0)), [1, 3, 1, -1]);
});

test('padded pixels and pixels inside of a larger one are read where they are', async () => {
  const padded = bytes([1, 2, 1, 2], 'channelsLast', format, 4);
  const dense = padded.values.float(padded.port, 'channelsLast');
  assert.deepEqual(await read(padded, dense, 4, Uint8Array.of(10, 12, 99, 99, 14, 16, 99, 99)), [0, 1, 2, 3]);
  const inside = bytes([1, 2, 1, 2], 'channelsLast', format, 5, 2);
  const found = inside.values.float(inside.port, 'plain');
  assert.deepEqual(await read(inside, found, 4, Uint8Array.of(0, 0, 10, 12, 0, 0, 0, 14, 16, 0)), [0, 2, 1, 3]);
});

test('bytes are asked for dense or strided', () => {
  const c = bytes([1, 3, 2, 2], 'channelsLast', format, 4);
  const strided = c.values.bytes(c.port, 'channelsLast', true)!;
  assert.equal(strided.stride, 4);
  assert.deepEqual(kernels(c), []);
  const dense = c.values.bytes(c.port, 'channelsLast', false)!;
  assert.equal(dense.stride, 3);
  assert.notEqual(dense.buffer, strided.buffer);
  assert.equal(c.values.bytes(c.port, 'channelsLast', false)!.buffer, dense.buffer);
  assert.deepEqual(kernels(c), ['copy']);
});

test('floats are not bytes', () => {
  const c = floats([1, 2, 2, 2], 'plain');
  assert.equal(c.values.bytes(c.port, 'plain', false), undefined);
});

test('a constant is written down in each order that is asked for, without a call', () => {
  const builder = new ProgramBuilder();
  const values = new Values(builder);
  const port = new ModelBuilder().constant('c', [1, 2, 1, 2], [1, 2, 3, 4]);
  const orders = (['plain', 'channelsLast', 'plain'] as const).map((layout) => values.float(port, layout));
  assert.equal(orders[0], orders[2]);
  const { buffers, calls } = builder.finish();
  const data = orders.slice(0, 2).map((id) => {
    const buffer = buffers[id]!;
    return buffer.kind === 'constant' ? [...(buffer.data as Float32Array)] : [];
  });
  assert.deepEqual(data, [
    [1, 2, 3, 4],
    [1, 3, 2, 4],
  ]);
  assert.equal(calls.length, 0);
});

test('an output that is channels last changes order on its way out', () => {
  const c = floats([1, 2, 3, 3], 'channelsLast');
  const output = c.builder.output('y', 'f32', [1, 2, 3, 3]);
  c.values.return(c.port, output);
  c.values.copyOutputs();
  const { calls } = c.builder.finish();
  assert.deepEqual(
    calls.map((call) => [call.kernel, call.outputs[0]]),
    [['copy', output]],
  );
});

test('an output is in its place when somebody needed it there before', () => {
  const c = bytes([1, 2, 3, 3], 'channelsLast', format);
  const output = c.builder.output('y', 'f32', [1, 2, 3, 3]);
  c.values.return(c.port, output);
  assert.equal(c.values.float(c.port, 'plain'), output);
  c.values.copyOutputs();
  assert.deepEqual(kernels(c), ['dequantize']);
});

test('an output that is another value is copied', () => {
  const c = floats([4], 'plain');
  c.values.return(c.port, c.builder.output('y', 'f32', [4]));
  c.values.copyOutputs();
  assert.deepEqual(kernels(c), ['copy']);
});
