import assert from 'node:assert/strict';
import test from 'node:test';
import { costByPrecision, describeExecution, type NodeDescription } from '../../lib/engines/describe.ts';
import { compileNative } from '../../lib/engines/native-engine.ts';
import type { Model } from '../../lib/graph/model.ts';
import { hostOp } from '../support/host-op.ts';
import { ModelBuilder } from '../support/model-builder.ts';
import { quantizedWeights, quantizer } from '../support/quantizers.ts';

async function describe(model: Model): Promise<NodeDescription[]> {
  await using executable = await compileNative(model, { maxIsa: 'scalar' });
  return describeExecution(executable);
}

test('every computed node is described in order, with row, place and reason', async () => {
  const b = new ModelBuilder();
  const x = b.parameter('x', [1, 4, 6, 6]);
  const conv = b.convolution(quantizer(b, x, 0, 4), quantizedWeights(b, [4, 4, 3, 3], 4));
  const biased = b.op('Add', [conv, b.weights('values', [1, 4, 1, 1])], {}, 'bias');
  const again = quantizer(b, b.op('ReLU', [biased], {}, 'relu'), 0, 9);
  const last = b.convolution(again, b.weights('w', [2, 4, 3, 3]), 'last');
  const sinh = b.op(hostOp, [last], {}, 'sinh');
  b.result(b.op('Sigmoid', [sinh]));
  b.result(b.convolution(again, quantizedWeights(b, [2, 4, 3, 3], 2), 'other'));
  const byName = new Map((await describe(b.model)).map((d) => [d.name, d]));
  assert.deepEqual([...byName.keys()].sort(), [
    'bias',
    'conv',
    'fq',
    'fq_1',
    'last',
    'other',
    'relu',
    'sigmoid',
    'sinh',
  ]);
  assert.deepEqual(byName.get('fq'), {
    name: 'fq',
    type: 'FakeQuantize',
    precision: 'INT8',
    row: 'quantize_f32u8_scalar',
    elements: 144,
  });
  assert.match(byName.get('conv')!.row!, /^gemm_u8s8_scalar/);
  for (const name of ['bias', 'relu', 'fq_1']) {
    assert.equal(byName.get(name)!.fusedInto, 'in conv', name);
    assert.equal(byName.get(name)!.precision, 'INT8', name);
  }
  assert.equal(byName.get('last')!.precision, 'FP32');
  assert.match(byName.get('last')!.row!, /^gemm_f32_scalar/);
  assert.match(byName.get('last')!.reason!, /weights are not quantized/);
  assert.deepEqual(byName.get('sinh'), {
    name: 'sinh',
    type: hostOp,
    precision: 'host',
    reason: `${hostOp} has no native kernel yet`,
    elements: 72,
  });
  assert.match(byName.get('sigmoid')!.reason!, /runs in FP32/);
});

test('costs are summed by how nodes run, of those that have work of their own', () => {
  const nodes: NodeDescription[] = [
    { name: 'a', type: 'Convolution', precision: 'INT8', row: 'r', multiplyAccumulates: 900, elements: 10 },
    { name: 'b', type: 'ReLU', precision: 'INT8', fusedInto: 'in a' },
    { name: 'c', type: 'Reshape', precision: 'FP32', reason: 'its input is not quantized' },
    { name: 'd', type: 'NonZero', precision: 'host', reason: 'its sizes depend on data' },
    { name: 'e', type: 'Sinh', precision: 'host', reason: 'Sinh has no native kernel yet', elements: 7 },
  ];
  assert.deepEqual(costByPrecision(nodes), [
    { precision: 'INT8', nodes: 1, multiplyAccumulates: 900, elements: 10 },
    { precision: 'host', nodes: 2, multiplyAccumulates: 0, elements: 7 },
  ]);
});

test('products by Winograd count as those of the plain sum', async () => {
  const b = new ModelBuilder();
  b.result(b.convolution(b.parameter('x', [1, 24, 10, 10]), b.weights('w', [24, 24, 3, 3]), 'conv'));
  const conv = (await describe(b.model)).find((d) => d.name === 'conv')!;
  assert.match(conv.row!, /^winograd/);
  assert.equal(conv.multiplyAccumulates, 9 * 24 * conv.elements!);
});

test('the row of a node is its own, not that of a conversion of its output', async () => {
  const b = new ModelBuilder();
  const conv = b.convolution(b.parameter('x', [1, 4, 6, 6]), b.weights('w', [4, 4, 3, 3]));
  b.result(conv);
  b.result(b.op('SoftMax', [conv], { axis: 1 }));
  const [first] = await describe(b.model);
  assert.match(first!.row!, /^gemm_f32_scalar/);
});

test('a concat whose inputs are written in place has no row', async () => {
  const b = new ModelBuilder();
  const x = b.parameter('x', [1, 4, 6, 6]);
  const parts = ['a', 'c'].map((name) => b.convolution(x, b.weights('w', [3, 4, 3, 3]), name));
  b.result(b.convolution(b.op('Concat', parts, { axis: 1 }), b.weights('w', [2, 6, 3, 3]), 'last'));
  const concat = (await describe(b.model)).find((d) => d.type === 'Concat')!;
  assert.deepEqual(concat, { name: 'concat', type: 'Concat', precision: 'FP32', reason: 'its input is not quantized' });
});
