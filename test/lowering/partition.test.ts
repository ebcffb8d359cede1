import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { Model } from '../../lib/graph/model.ts';
import type { OutputPort } from '../../lib/graph/node.ts';
import { constantNodes, hostReason, partition, type Step } from '../../lib/lowering/partition.ts';
import { hostOp } from '../support/host-op.ts';
import { resultPorts } from '../support/lowering.ts';
import { ModelBuilder } from '../support/model-builder.ts';
import { buildNetwork, networkPlans } from '../support/random-network.ts';

const textOf = (step: Step): string =>
  step.kind === 'host' ? `host ${step.node.name}` : `native ${step.nodes.map((n) => n.name).join(' ')}`;

function stepsOf(model: Model, observed: readonly OutputPort[] = []): string[] {
  return partition(model, resultPorts(model), observed).map(textOf);
}

function start(shape = [1, 4, 6, 6]): { b: ModelBuilder; x: OutputPort } {
  const b = new ModelBuilder();
  return { b, x: b.parameter('x', shape) };
}

test('a model of native operations is one segment', () => {
  const { b, x } = start();
  b.result(b.op('ReLU', [b.op('Sigmoid', [x])]));
  assert.deepEqual(stepsOf(b.model), ['native sigmoid relu']);
});

test('a host node lies between two segments, with the ports where values cross', () => {
  const { b, x } = start();
  const before = b.op('ReLU', [x]);
  const host = b.op(hostOp, [before], {}, 'sinh');
  b.result(b.op('Add', [b.op('Sigmoid', [host]), before]));
  const steps = partition(b.model, resultPorts(b.model));
  assert.deepEqual(steps.map(textOf), ['native relu', 'host sinh', 'native sigmoid add']);
  const last = steps[2]!;
  assert.ok(last.kind === 'native');
  assert.deepEqual(last.inputs, [host, before]);
  assert.deepEqual(last.outputs, resultPorts(b.model));
  const middle = steps[1]!;
  assert.ok(middle.kind === 'host' && middle.reason === `${hostOp} has no native kernel yet`);
});

test('everything native that is ready goes in front of a host node', () => {
  const { b, x } = start();
  const host = b.op(hostOp, [x], {}, 'sinh');
  const side = b.op('ReLU', [b.op('Sigmoid', [x])]);
  b.result(b.op('Add', [host, side]));
  assert.deepEqual(stepsOf(b.model), ['native sigmoid relu', 'host sinh', 'native add']);
});

test('values that nobody needs are not computed, unless they are observed', () => {
  const { b, x } = start();
  const idle = b.op('Sigmoid', [x]);
  b.result(b.op('ReLU', [x]));
  assert.deepEqual(stepsOf(b.model), ['native relu']);
  const steps = partition(b.model, resultPorts(b.model), [idle]);
  assert.deepEqual(steps.map(textOf), ['native sigmoid relu']);
  assert.ok(steps[0]!.kind === 'native');
  assert.deepEqual(steps[0]!.outputs, resultPorts(b.model), 'an observed value is not returned');
});

test('what depends on constants only is not computed in a run', () => {
  const { b, x } = start();
  const c = b.op(hostOp, [b.weights('c', [1, 4, 6, 6])], {}, 'sinh');
  b.result(b.op('Add', [x, c]));
  b.result(c);
  assert.deepEqual(stepsOf(b.model), ['native add']);
  const constants = [...constantNodes(b.model)].filter((n) => n.type !== 'Result');
  assert.deepEqual(constants.map((n) => n.name).sort(), ['c', 'sinh']);
});

test('an input that is an output needs no step', () => {
  const { b, x } = start();
  b.result(x);
  assert.deepEqual(stepsOf(b.model), []);
});

test('every host node has a reason', () => {
  const b = new ModelBuilder();
  const [whole, x] = [b.parameter('whole', [2], 'i64'), b.parameter('x', [1, 2, 5, 5])];
  const reason = (port: OutputPort): string | undefined => hostReason(port.node, constantNodes(b.model), [port]);
  assert.equal(reason(b.op(hostOp, [x])), `${hostOp} has no native kernel yet`);
  assert.equal(reason(b.op('SquaredDifference', [whole, whole])), 'its input has type i64');
  assert.equal(reason(b.op('Divide', [whole, whole])), undefined);
  assert.equal(reason(b.op('Add', [whole, whole])), undefined);
  assert.equal(reason(b.op('Convert', [whole], { destination_type: 'f32' })), undefined);
  assert.equal(reason(b.op('Convert', [x], { destination_type: 'i32' })), undefined);
  assert.equal(
    reason(b.op('Convert', [x], { destination_type: 'u16' })),
    'this form of Convert has no native kernel yet',
  );
  assert.equal(reason(b.op('Less', [x, x])), undefined);
  assert.equal(
    reason(b.op('Reshape', [x, whole], { special_zero: false })),
    'a shape is known only when its values are',
    'shapes that are computed',
  );
  const filter = b.parameter('filter', [3, 2, 3, 3]);
  assert.match(reason(b.convolution(x, filter))!, /this form of Convolution/);
  assert.equal(reason(b.op('ReLU', [b.parameter('empty', [0, 3])])), 'a tensor without elements');
  const pooling = { kernel: [1, 1], strides: [3, 3], pads_end: [2, 2], rounding_type: 'ceil' };
  assert.match(reason(b.op('MaxPool', [x], pooling))!, /this form of MaxPool/, 'windows that see padding only');
});

test('every value is computed before it is read, once', () => {
  fc.assert(
    fc.property(networkPlans(12), (plan) => {
      const model = buildNetwork(plan, { quantizers: true });
      const known = new Set(model.parameters().map((p) => p.output));
      const constants = constantNodes(model);
      for (const step of partition(model, resultPorts(model))) {
        const nodes = step.kind === 'host' ? [step.node] : step.nodes;
        for (const node of nodes) {
          for (const { source } of node.inputs) {
            assert.ok(!source || known.has(source) || constants.has(source.node), `${node.name} is too early`);
          }
          for (const out of node.outputs) {
            assert.ok(!known.has(out), `${node.name} is computed twice`);
            known.add(out);
          }
        }
      }
      for (const port of resultPorts(model)) assert.ok(known.has(port) || constants.has(port.node));
    }),
    { numRuns: 200 },
  );
});
