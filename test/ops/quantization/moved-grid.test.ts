// Values of a grid that operations pass on.
import assert from 'node:assert/strict';
import test from 'node:test';
import type { OutputPort } from '../../../lib/graph/node.ts';
import { movedGrid } from '../../../lib/ops/quantization/moved-grid.ts';
import { ModelBuilder } from '../../support/model-builder.ts';

const grid = { scale: 0.1, zeroPoint: 10 };

test('a scatter lies on a grid when its data and its updates do', () => {
  for (const [other, expected] of [
    [{ ...grid }, grid],
    [{ ...grid, scale: 0.2 }, undefined],
    [undefined, undefined],
  ] as const) {
    const b = new ModelBuilder();
    const [x, updates] = [b.parameter('x', [4, 2]), b.parameter('updates', [1, 2])];
    const lists = [b.constant('at', [1], [2], 'i64'), b.constant('axis', [], [0], 'i64')] as const;
    const { node } = b.op('ScatterUpdate', [x, lists[0], updates, lists[1]]);
    const gridOf = (port: OutputPort) => (port === x ? grid : port === updates ? other : undefined);
    assert.deepEqual(movedGrid(node, gridOf), expected);
  }
});

test('a resize by other weights than one computes', () => {
  for (const [mode, expected] of [
    ['nearest', grid],
    ['linear', undefined],
  ] as const) {
    const b = new ModelBuilder();
    const lists = [b.constant('sizes', [1], [8], 'i64'), b.constant('axes', [1], [2], 'i64')];
    const attributes = { mode, shape_calculation_mode: 'sizes' };
    const { node } = b.op('Interpolate', [b.parameter('x', [1, 1, 4]), ...lists], attributes);
    assert.deepEqual(
      movedGrid(node, (port) => (port === node.source(0) ? grid : undefined)),
      expected,
    );
  }
});
