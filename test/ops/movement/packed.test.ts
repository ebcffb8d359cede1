// Elements narrower than a byte are moved like any other: moving and converting change places.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compile } from '../../../lib/engines/session.ts';
import type { OutputPort } from '../../../lib/graph/node.ts';
import { createNode } from '../../../lib/ops/index.ts';
import { fromCodes } from '../../../lib/tensor/convert.ts';
import { bitsOf, type ElementType, elementTypes } from '../../../lib/tensor/element-type.ts';
import type { Tensor } from '../../../lib/tensor/tensor.ts';
import { random } from '../../../lib/util/random.ts';
import { Network } from '../../support/network.ts';

const packedTypes = elementTypes.filter((type) => type !== 'string' && bitsOf(type) < 8);

const r = random(7);
const codes = (type: ElementType, shape: number[]): Tensor =>
  fromCodes(
    Uint8Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => r.int(0, 2 ** bitsOf(type))),
    shape,
    type,
  );

/** Operations on x `[3, 5]` and y `[3, 5]`; neither size fills bytes. */
const moves: Readonly<Record<string, (net: Network, x: OutputPort, y: OutputPort) => OutputPort>> = {
  Transpose: (net, x) => net.op('Transpose', 'move', [x, net.integers('order', [1, 0])]),
  Gather: (net, x) => net.op('Gather', 'move', [x, net.integers('at', [2, 0]), net.integers('axis', [0])]),
  GatherElements: (net, x, y) =>
    net.op('GatherElements', 'move', [net.op('Concat', 'both', [x, y], { axis: 1 }), positions(net)], { axis: 1 }),
  Concat: (net, x, y) => net.op('Concat', 'move', [x, y, x], { axis: 1 }),
  Split: (net, x) => net.op('Split', 'move', [x, net.integers('axis', [0])], { num_splits: 3 }),
  Slice: (net, x) =>
    net.op('Slice', 'move', [x, net.integers('from', [4]), net.integers('to', [0]), net.integers('step', [-2]), net.integers('axis', [1])]), // biome-ignore format: one line
  Tile: (net, x) => net.op('Tile', 'move', [x, net.integers('repeats', [2, 3])]),
  Broadcast: (net, x) => net.op('Broadcast', 'move', [x, net.integers('shape', [2, 3, 5])]),
  Reverse: (net, x) => net.op('Reverse', 'move', [x, net.integers('axis', [1])], { mode: 'index' }),
  ScatterUpdate: (net, x, y) =>
    net.op('ScatterUpdate', 'move', [x, net.integers('at', [2, 0, 1]), y, net.integers('axis', [0])]),
};

function positions(net: Network): OutputPort {
  const rows = Float64Array.from([9, 0, 4, 5, 1, 8]);
  return net.op('Reshape', 'positions', [net.integers('list', [...rows]), net.integers('rows', [3, 2])]);
}

/** `Convert(move(x, y))` or `move(Convert(x), Convert(y))` of constants or of inputs. */
async function run(name: string, x: Tensor, y: Tensor, options: Readonly<{ first: boolean; fed: boolean }>) {
  const net = new Network();
  const toFloat = (port: OutputPort, as: string): OutputPort =>
    net.op('Convert', as, [port], { destination_type: 'f32' });
  const ports = [x, y].map((value, i) => {
    const attributes = { element_type: value.type, shape: [...value.shape] };
    const port = options.fed
      ? createNode(net.model, { type: 'Parameter', name: `input${i}`, attributes, inputs: [] }).output
      : net.value(`input${i}`, value);
    return options.first ? toFloat(port, `float${i}`) : port;
  }) as [OutputPort, OutputPort];
  const moved = moves[name]!(net, ...ports);
  net.result(options.first ? moved : toFloat(moved, 'float'));
  await using session = await compile(net.model);
  const [out] = Object.values(await session.infer(options.fed ? { input0: x, input1: y } : {}));
  return out!;
}

describe('elements narrower than a byte', () => {
  for (const type of packedTypes) {
    it(`${type} is moved`, async () => {
      const [x, y] = [codes(type, [3, 5]), codes(type, [3, 5])];
      for (const name of Object.keys(moves)) {
        const expected = await run(name, x, y, { first: true, fed: false });
        for (const fed of [false, true]) assert.deepEqual(await run(name, x, y, { first: false, fed }), expected, name);
      }
    });
  }
});
