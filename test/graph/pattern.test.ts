import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { any, commutative, constant, matchNode, op, optional } from '../../lib/graph/pattern.ts';
import { ModelBuilder } from '../support/model-builder.ts';

describe('patterns', () => {
  it('match an operation by type and inputs, and give the named parts', () => {
    const b = new ModelBuilder();
    const x = b.parameter('x', [2]);
    const add = b.op('Add', [b.op('ReLU', [x]), b.constant('c', [2], [1, 2])]);
    const match = matchNode(op('Add', op(['ReLU', 'Abs'], any().as('x')).as('relu'), constant().as('c')), add.node);
    assert.equal(match?.root, add.node);
    assert.equal(match?.port('x'), x);
    assert.equal(match?.node('relu').name, 'relu');
    assert.deepEqual(match?.value('c').data, Float32Array.of(1, 2));
    assert.equal(match?.has('other'), false);
  });

  it('do not match another type, another order, or a computed operand in the place of a constant', () => {
    const b = new ModelBuilder();
    const x = b.parameter('x', [2]);
    const add = b.op('Add', [b.constant('c', [2], [1, 2]), x]).node;
    assert.equal(matchNode(op('Multiply', any(), any()), add), undefined);
    assert.equal(matchNode(op('Add', any(), constant()), add), undefined);
    assert.equal(matchNode(op('Add', constant(), constant()), add), undefined);
    assert.ok(matchNode(commutative('Add', any().as('x'), constant().as('c')), add));
  });

  it('forget the first attempt of a commutative match', () => {
    const b = new ModelBuilder();
    const [x, c] = [b.parameter('x', [2]), b.constant('c', [2], [1, 2])];
    const match = matchNode(commutative('Add', any().as('data'), constant().as('c')), b.op('Add', [c, x]).node);
    assert.equal(match?.port('data'), x);
    assert.equal(match?.port('c'), c);
  });

  it('want the same port for the same name', () => {
    const b = new ModelBuilder();
    const [x, y] = [b.parameter('x', [2]), b.parameter('y', [2])];
    const square = op('Multiply', any().as('x'), any().as('x'));
    assert.ok(matchNode(square, b.op('Multiply', [x, x]).node));
    assert.equal(matchNode(square, b.op('Multiply', [x, y]).node), undefined);
  });

  it('match with and without an optional operation', () => {
    const b = new ModelBuilder();
    const x = b.parameter('x', [2]);
    const pattern = op('ReLU', optional('Convert', op('Parameter').as('x'), 'convert'));
    const plain = matchNode(pattern, b.op('ReLU', [x]).node);
    const wide = matchNode(pattern, b.op('ReLU', [b.op('Convert', [x], { destination_type: 'f32' })]).node);
    assert.deepEqual([plain?.has('convert'), wide?.has('convert'), wide?.port('x') === x], [false, true, true]);
    assert.equal(matchNode(pattern, b.op('ReLU', [b.op('Abs', [x])]).node), undefined);
  });

  it('can want a single consumer, or any condition', () => {
    const b = new ModelBuilder();
    const relu = b.op('ReLU', [b.parameter('x', [2])]);
    const [first] = [b.op('Abs', [relu]).node];
    assert.ok(matchNode(op('Abs', op('ReLU').single()), first));
    b.op('Abs', [relu]);
    assert.equal(matchNode(op('Abs', op('ReLU').single()), first), undefined);
    assert.equal(
      matchNode(
        op('Abs').where((n) => n.name === 'other'),
        first,
      ),
      undefined,
    );
  });
});
