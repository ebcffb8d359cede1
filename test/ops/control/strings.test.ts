// Strings in bodies: chosen by an If, carried and collected by a Loop.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compile } from '../../../lib/engines/session.ts';
import { readIr } from '../../../lib/formats/ir/read.ts';
import { writeIr } from '../../../lib/formats/ir/write.ts';
import { readOnnx } from '../../../lib/formats/onnx/read.ts';
import { stringTensor, toStrings } from '../../../lib/tensor/strings.ts';
import { type Tensor, tensor } from '../../../lib/tensor/tensor.ts';
import { bodyProto, node, type OnnxSpec, onnxBytes } from '../../support/onnx.ts';

const words = ['string', [2]] as const;

/** "a" and "b" joined, or a alone. */
const choice: OnnxSpec = {
  opset: 20,
  inputs: { c: ['boolean', []], a: words, b: words },
  nodes: [
    node('If', ['c'], ['y'], {
      then_branch: bodyProto({ nodes: [node('StringConcat', ['a', 'b'], ['t'])], outputs: { t: words } }),
      else_branch: bodyProto({ nodes: [node('Identity', ['a'], ['e'])], outputs: { e: words } }),
    }),
  ],
  outputs: ['y'],
};

/** s += b, n times; the last s and all of them. */
const growth: OnnxSpec = {
  opset: 20,
  inputs: { n: ['i64', []], a: words, b: words },
  nodes: [
    node('Loop', ['n', '', 'a'], ['last', 'all'], {
      body: bodyProto({
        inputs: { i: ['i64', []], going: ['boolean', []], s: words },
        nodes: [
          node('Identity', ['going'], ['on']),
          node('StringConcat', ['s', 'b'], ['next']),
          node('Identity', ['next'], ['step']),
        ],
        outputs: { on: ['boolean', []], next: words, step: words },
      }),
    }),
  ],
  outputs: ['last', 'all'],
};

const [a, b] = [stringTensor([2], ['x', '']), stringTensor([2], ['ä', 'z'])];
const runs: readonly [OnnxSpec, Record<string, Tensor>, Record<string, [number[], string[]]>][] = [
  [choice, { c: tensor('boolean', [], [1]), a, b }, { y: [[2], ['xä', 'z']] }],
  [choice, { c: tensor('boolean', [], [0]), a, b }, { y: [[2], ['x', '']] }],
  [
    growth,
    { n: tensor('i64', [], [2]), a, b },
    {
      last: [[2], ['xää', 'zz']],
      all: [
        [2, 2],
        ['xä', 'z', 'xää', 'zz'],
      ],
    },
  ],
  [growth, { n: tensor('i64', [], [0]), a, b }, { last: [[2], ['x', '']], all: [[0, 2], []] }],
];

describe('strings in bodies', () => {
  for (const [index, [spec, feeds, expected]] of runs.entries()) {
    it(`are computed, also after writing an IR (${index})`, async () => {
      const model = readOnnx(onnxBytes(spec));
      const { xml, bin } = writeIr(model);
      for (const [from, device] of [
        [model, 'CPU'],
        [model, 'REFERENCE'],
        [readIr(xml, bin), 'CPU'],
      ] as const) {
        await using session = await compile(from, { device });
        const outputs = await session.infer(feeds);
        const shown = Object.entries(outputs).map(([name, t]) => [name, [t.shape, toStrings(t)]]);
        assert.deepEqual(Object.fromEntries(shown), expected, device);
      }
    });
  }
});
