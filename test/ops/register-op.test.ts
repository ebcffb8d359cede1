// Operations of users: definitions that lack something, and functions that throw or give what they must not.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compile } from '../../lib/engines/session.ts';
import { LowpError } from '../../lib/errors/lowp-error.ts';
import { noAttributes } from '../../lib/ops/attribute.ts';
import { createNode, defineOp, type OpDef, registerOp } from '../../lib/ops/index.ts';
import { type Tensor, tensor } from '../../lib/tensor/tensor.ts';
import { Network } from '../support/network.ts';

const copy = {
  opset: 'extension',
  attributes: noAttributes,
  inputs: [1, 1],
  infer: (_, [x]) => [{ type: x!.type, shape: x!.shape }],
  evaluate: (_, [x]) => [x!],
} satisfies Omit<OpDef, 'type'>;

let count = 0;

/** The error of running x (f32[2]) through an operation, by a call of its evaluation. */
async function failure(changes: Partial<Record<keyof OpDef, unknown>>, device = 'CPU'): Promise<LowpError> {
  const type = `Registered${count++}`;
  registerOp(defineOp({ ...copy, type, ...changes } as unknown as OpDef));
  try {
    const net = new Network();
    const node = createNode(net.model, { type, name: 'own', inputs: [net.input('x', [2])] });
    net.result(node.output);
    await using session = await compile(net.model, { device });
    await session.infer({ x: tensor('f32', [2], [1, 2]) });
  } catch (error) {
    assert.ok(error instanceof LowpError, String(error));
    return error;
  }
  throw new Error('nothing was thrown');
}

describe('registerOp refuses', () => {
  const bad: [string, unknown, RegExp][] = [
    ['nothing', undefined, /needs a type/],
    ['a type with a space', { ...copy, type: 'A B' }, /needs a type/],
    ['no opset', { ...copy, type: 'NoOpset', opset: '' }, /opset must be a name/],
    ['attributes that are no schema', { ...copy, type: 'NoSchema', attributes: {} }, /zod schema/],
    ['more inputs at least than at most', { ...copy, type: 'Inputs', inputs: [2, 1] }, /least and the most/],
    ['one number of inputs', { ...copy, type: 'OneNumber', inputs: 1 }, /least and the most/],
    ['no inference', { ...copy, type: 'NoInfer', infer: undefined }, /infer must be a function/],
    ['nothing that computes', { ...copy, type: 'NoEvaluate', evaluate: undefined }, /evaluate must be a function/],
  ];
  for (const [what, definition, message] of bad) {
    it(what, () => assert.throws(() => registerOp(definition as OpDef), { code: 'ERR_OP_DEFINITION', message }));
  }
});

describe('a function of a registered operation that', () => {
  const f32 = (shape: number[], values: number[]): Tensor => tensor('f32', shape, values);
  const throws = (): never => {
    throw new TypeError('oops');
  };
  const cases: [string, Partial<Record<keyof OpDef, unknown>>, RegExp][] = [
    ['throws in infer', { infer: throws }, /infer threw TypeError: oops/],
    ['infers nothing', { infer: () => undefined }, /infer returned undefined/],
    ['infers an unknown type', { infer: () => [{ type: 'f99', shape: [2] }] }, /the type f99/],
    ['infers a negative size', { infer: () => [{ type: 'f32', shape: [2, -5] }] }, /the shape \[2,-5\]/],
    ['infers no shape', { infer: () => [{ type: 'f32' }] }, /the shape undefined/],
    ['throws in evaluate', { evaluate: throws }, /evaluate threw TypeError: oops/],
    ['evaluates nothing', { evaluate: () => undefined }, /evaluate returned undefined/],
    ['evaluates later', { evaluate: async () => [] }, /evaluate returned a promise/],
    ['evaluates too few', { evaluate: () => [] }, /returned 0 tensors; infer states 1/],
    ['evaluates no tensor', { evaluate: () => [[1, 2]] }, /no tensor as output 0/],
    ['evaluates another shape', { evaluate: () => [f32([1], [1])] }, /f32\[1\] as output 0; infer states f32\[2\]/],
    [
      'evaluates another type',
      { evaluate: () => [tensor('i32', [2], [1, 2])] },
      /i32\[2\] as output 0; infer states f32/,
    ],
    [
      'evaluates too few elements',
      { evaluate: () => [{ type: 'f32', shape: [2], data: new Float32Array(1) }] },
      /needs 2 elements, got 1/,
    ],
    [
      'evaluates elements of another kind',
      { evaluate: () => [{ type: 'f32', shape: [2], data: new Float64Array(2) }] },
      /cannot hold a Float64Array/,
    ],
  ];
  for (const [what, changes, message] of cases) {
    for (const device of ['CPU', 'REFERENCE']) {
      it(`${what} is named, on ${device}`, async () => {
        const error = await failure(changes, device);
        assert.equal(error.code, 'ERR_OP_DEFINITION');
        assert.equal(error.node, 'own');
        assert.match(error.message, message);
      });
    }
  }

  it('throws a LowpError keeps its code', async () => {
    const infer = (): never => {
      throw new LowpError('ERR_SHAPE_RANK', 'too flat');
    };
    const error = await failure({ infer });
    assert.equal(error.code, 'ERR_SHAPE_RANK');
    assert.match(error.message, /'own': too flat/);
  });
});
