import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it } from 'node:test';
import { InvariantError } from '../../lib/errors/assert.ts';
import { LowpError } from '../../lib/errors/lowp-error.ts';
import type { LowpEvent } from '../../lib/events/events.ts';
import { removeNode, replaceOutput } from '../../lib/graph/edit.ts';
import { any, op } from '../../lib/graph/pattern.ts';
import { createNode } from '../../lib/ops/index.ts';
import { definePass, defineRewrite, runPasses } from '../../lib/passes/index.ts';
import { ModelBuilder, typesOf } from '../support/model-builder.ts';

/** ReLU of ReLU is ReLU. */
const mergeRelu = defineRewrite({
  name: 'merge-relu',
  pattern: op('ReLU', op('ReLU', any()).as('inner')),
  rewrite(match, model) {
    replaceOutput(match.root.output, match.port('inner'), { names: true });
    removeNode(model, match.root);
    return true;
  },
});

function relus(count: number): ModelBuilder {
  const b = new ModelBuilder();
  let port = b.parameter('x', [1]);
  for (let i = 0; i < count; i++) port = b.op('ReLU', [port]);
  b.result(port);
  return b;
}

describe('runPasses', () => {
  it('applies a rule until it fits nowhere, and removes what is not needed any more', () => {
    const { model } = relus(6);
    const events: LowpEvent[] = [];
    runPasses(model, [mergeRelu], { onEvent: (e) => events.push(e) });
    assert.deepEqual(typesOf(model), ['Parameter', 'ReLU', 'Result']);
    assert.deepEqual(
      events.map((e) => e.kind === 'pass:done' && e.name),
      ['merge-relu'],
    );
  });

  it('writes the model after each pass into the folder for dumps', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'lowp-dump-'));
    try {
      runPasses(relus(2).model, [mergeRelu, mergeRelu], { dump: path.join(folder, 'new') });
      const files = readdirSync(path.join(folder, 'new')).sort();
      assert.deepEqual(files, ['00-before.txt', '01-merge-relu.txt', '02-merge-relu.txt']);
      assert.equal(
        readFileSync(path.join(folder, 'new', '01-merge-relu.txt'), 'utf8'),
        'model test\n  x = Parameter() {element_type="f32" shape=[1]} : f32[1]\n  relu = ReLU(x) : f32[1]\n  result = Result(relu) : f32[1]\n',
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('names the pass in what it throws, and keeps code, node and help', () => {
    const broken = definePass({
      name: 'broken',
      run: () => {
        throw new LowpError('ERR_SHAPE_RANK', 'wrong', { node: 'n', help: 'h' });
      },
    });
    assert.throws(() => runPasses(relus(1).model, [broken]), {
      code: 'ERR_SHAPE_RANK',
      message: 'pass broken: wrong',
      node: 'n',
      help: 'h',
    });
  });

  it('refuses a model that a pass left inconsistent', () => {
    const broken = definePass({
      name: 'broken',
      run(model) {
        model.node('relu').output.consumers.clear();
        return 1;
      },
    });
    assert.throws(() => runPasses(relus(1).model, [broken]), { code: 'ERR_GRAPH_INVALID', message: /pass broken/ });
  });

  it('stops a rule that never ends', () => {
    const endless = defineRewrite({ name: 'endless', pattern: op('ReLU', any()), rewrite: () => true });
    assert.throws(() => runPasses(relus(1).model, [endless]), InvariantError);
  });

  it('stops between passes when the signal is aborted', () => {
    const signal = AbortSignal.abort();
    assert.throws(() => runPasses(relus(1).model, [mergeRelu], { signal }), { code: 'ERR_ABORTED' });
  });

  it('removes nodes that nobody reads', () => {
    const b = relus(1);
    createNode(b.model, { type: 'Abs', name: 'unread', inputs: [b.model.node('relu').output] });
    runPasses(b.model, [mergeRelu]);
    assert.deepEqual(typesOf(b.model), ['Parameter', 'ReLU', 'Result']);
  });
});
