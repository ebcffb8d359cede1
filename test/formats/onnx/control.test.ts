import assert from 'node:assert/strict';
import test from 'node:test';
import { create, toBinary } from '@bufbuild/protobuf';
import { referenceEngine } from '../../../lib/engines/reference-engine.ts';
import type { ErrorCode } from '../../../lib/errors/codes.ts';
import { readIr } from '../../../lib/formats/ir/read.ts';
import { writeIr } from '../../../lib/formats/ir/write.ts';
import {
  FunctionProtoSchema,
  type GraphProto,
  ModelProtoSchema,
  type NodeProto,
} from '../../../lib/formats/onnx/onnx_pb.ts';
import { readOnnx } from '../../../lib/formats/onnx/read.ts';
import type { Model } from '../../../lib/graph/model.ts';
import { withBodies } from '../../../lib/graph/sub-graph.ts';
import { type Tensor, tensor } from '../../../lib/tensor/tensor.ts';
import { bodyProto, node, type OnnxSpec, onnxBytes, onnxProto } from '../../support/onnx.ts';
import { type BodyCase, bodyCases } from '../../support/onnx-bodies.ts';

async function run(model: Model, feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>> {
  await using executable = await referenceEngine.compile(model);
  return (await executable.run(feeds)).outputs;
}

async function check(model: Model, { runs }: BodyCase): Promise<void> {
  for (const { feeds, outputs } of runs) assert.deepEqual(await run(model, feeds), outputs);
}

function bodiesIn(model: Model): string[] {
  const hasBody = (attributes: Readonly<Record<string, unknown>>) =>
    Object.keys(attributes).some((key) => key.endsWith('body'));
  const nodes = withBodies(model).flatMap((m) => m.nodes());
  return nodes.flatMap((n) => (hasBody(n.attributes) ? [n.type] : []));
}

for (const c of bodyCases) {
  test(`${c.name} is read`, async () => {
    const model = readOnnx(onnxBytes(c.spec));
    assert.deepEqual(bodiesIn(model), c.bodies);
    await check(model, c);
    const { xml, bin } = writeIr(model);
    await check(readIr(xml, bin), c);
  });
}

const vector = ['f32', [2]] as const;
const counter = { i: ['i64', []], going: ['boolean', []] } as const;

function refuses(spec: OnnxSpec, code: ErrorCode, pattern: RegExp): void {
  assert.throws(
    () => readOnnx(onnxBytes(spec)),
    (error: Error & { code?: string }) => {
      assert.equal(error.code, code, error.message);
      assert.match(error.message, pattern);
      return true;
    },
  );
}

/** A Loop over `x` with this body. */
function loop(body: GraphProto, inputs: readonly string[] = ['m', '', 'x'], outputs = ['y']): OnnxSpec {
  return {
    inputs: { m: ['i64', []], x: vector },
    nodes: [node('Loop', inputs, outputs, { body }, 'loop')],
    outputs: [outputs[0]!],
  };
}

const step = (nodes: OnnxSpec['nodes'], inputs: OnnxSpec['inputs'] = { ...counter, v: vector }): GraphProto =>
  bodyProto({ inputs: inputs!, nodes, outputs: { on: ['boolean', []], next: vector } });

const on = node('Identity', ['going'], ['on']);

test('bodies whose ports do not meet those of the node are refused', () => {
  refuses(loop(step([on, node('Relu', ['v'], ['next'])], counter)), 'ERR_ONNX_GRAPH', /'loop'.* 2 inputs.*asks for 3/);
  const body = step([on, node('Relu', ['v'], ['next'])]);
  refuses(loop(body, ['m', '', 'x'], ['y', 'z']), 'ERR_ONNX_GRAPH', /'loop'.* 2 outputs.*asks for 3/);
  refuses({ ...loop(body), nodes: [node('Loop', ['m', '', 'x'], ['y'])] }, 'ERR_OP_ATTRIBUTE', /'body' is missing/);
  refuses({ ...loop(body), nodes: [node('Loop', ['m', '', 'x'], ['y'], { body: 1n })] }, 'ERR_OP_ATTRIBUTE', /kind 2/);
  const scan = (attributes: Parameters<typeof node>[3]) => ({
    ...loop(body),
    nodes: [node('Scan', ['x'], ['y'], { body, ...attributes })],
  });
  refuses(scan({}), 'ERR_OP_ATTRIBUTE', /'num_scan_inputs' is missing/);
  refuses(scan({ num_scan_inputs: 2n }), 'ERR_OP_ATTRIBUTE', /is 2, the node has 1 inputs/);
});

test('what is wrong inside of a body is named', () => {
  refuses(loop(step([on, node('Relu', ['nothing'], ['next'])])), 'ERR_ONNX_GRAPH', /'nothing', read by 'next'/);
  refuses(loop(step([on])), 'ERR_ONNX_GRAPH', /'next', read by the outputs of the body 'body'/);
  refuses(
    loop(step([on, node('Unheard', ['v'], ['next'], {}, 'u')])),
    'ERR_ONNX_UNSUPPORTED',
    /Unheard \(1, first 'u'\)/,
  );
  refuses(loop(step([on, node('Relu', ['v'], ['v'])])), 'ERR_ONNX_GRAPH', /'v' is defined twice/);
  refuses(
    loop(step([on, node('Cast', ['v'], ['next'], { to: 7n })])),
    'ERR_TYPE_MISMATCH',
    /begins as f32 and becomes i64/,
  );
  refuses(
    loop(step([on, node('Relu', ['v'], ['next'])]), ['', '', 'x']),
    'ERR_OP_INPUTS',
    /nothing ever ends the loop/,
  );
});

test('branches that give different things are refused, and say what to do', () => {
  const branches = (t: OnnxSpec['nodes'][number], e: OnnxSpec['nodes'][number]): OnnxSpec => ({
    inputs: { c: ['boolean', []], x: vector },
    nodes: [
      node('If', ['c'], ['y'], {
        then_branch: bodyProto({ nodes: [t], outputs: { t: vector } }),
        else_branch: bodyProto({ nodes: [e], outputs: { e: vector } }),
      }),
    ],
    outputs: ['y'],
  });
  const relu = node('Relu', ['x'], ['e']);
  refuses(branches(node('Cast', ['x'], ['t'], { to: 7n }), relu), 'ERR_TYPE_MISMATCH', /types i64 and f32/);
  refuses(
    branches(node('SequenceConstruct', ['x'], ['t']), relu),
    'ERR_ONNX_UNSUPPORTED',
    /a sequence of 1 \(a tensor\)/,
  );
});

test('bodies that would expand without bound are refused', () => {
  let body = step([on, node('Relu', ['v'], ['next'])]);
  for (let depth = 0; depth < 3; depth++) {
    const inner = node('Loop', ['many', '', 'v', 'list'], ['next', 'rest'], {
      body: bodyProto({
        inputs: { ...counter, v: vector, l: vector },
        nodes: [...body.node, node('Identity', ['l'], ['left'])],
        outputs: { on: ['boolean', []], next: vector, left: vector },
      }),
    });
    body = step([on, inner]);
  }
  const { nodes } = loop(body);
  const spec: OnnxSpec = {
    inputs: { x: vector },
    initializers: { many: tensor('i64', [], [1000]), m: tensor('i64', [], [1000]) },
    nodes: [node('SequenceConstruct', ['x'], ['list']), ...nodes],
    outputs: ['y'],
  };
  refuses(spec, 'ERR_LIMIT_SIZE', /expand to more than 200000 nodes/);
});

/** `b = F(a)` in the domain `own`. */
function ownFunction(nodes: NodeProto[]) {
  const opsetImport = [{ domain: '', version: 13n }];
  return create(FunctionProtoSchema, {
    name: 'F',
    domain: 'own',
    input: ['a'],
    output: ['b'],
    node: nodes,
    opsetImport,
  });
}

test('functions that call themselves through a body are refused', () => {
  const call = (input: string, output: string) => Object.assign(node('F', [input], [output]), { domain: 'own' });
  const proto = onnxProto({
    inputs: { x: vector },
    initializers: { yes: tensor('boolean', [], [1]) },
    nodes: [call('x', 'y')],
    outputs: ['y'],
  });
  const branch = () => bodyProto({ nodes: [call('a', 'inner')], outputs: { inner: vector } });
  proto.functions = [
    ownFunction([
      node('Constant', [], ['c'], { value: tensor('boolean', [], [1]) }),
      node('If', ['c'], ['b'], { then_branch: branch(), else_branch: branch() }),
    ]),
  ];
  assert.throws(() => readOnnx(toBinary(ModelProtoSchema, proto)), { code: 'ERR_LIMIT_SIZE', message: /64 deep/ });
});

test('a function can be called in a body, and its own bodies read its inputs', async () => {
  const call = Object.assign(node('F', ['v'], ['next'], {}, 'call'), { domain: 'own' });
  const proto = onnxProto(loop(step([on, call])));
  const branch = (op: string) =>
    bodyProto({
      initializers: { k: tensor('f32', [], [3]) },
      nodes: [node(op, ['a', 'k'], ['r'])],
      outputs: { r: vector },
    });
  proto.functions = [
    ownFunction([
      node('ReduceSum', ['a'], ['sum'], { keepdims: 0n }),
      node('Constant', [], ['zero'], { value: tensor('f32', [], [0]) }),
      node('Greater', ['sum', 'zero'], ['c']),
      node('If', ['c'], ['b'], { then_branch: branch('Sub'), else_branch: branch('Add') }),
    ]),
  ];
  const model = readOnnx(toBinary(ModelProtoSchema, proto));
  const { y } = await run(model, { m: tensor('i64', [], [3]), x: tensor('f32', [2], [1, 2]) });
  assert.deepEqual(y, tensor('f32', [2], [-2, -1]));
});

test('a scan of opset 8 runs for each sample', async () => {
  const body = bodyProto({
    inputs: { s: vector, p: vector },
    nodes: [node('Add', ['s', 'p'], ['next']), node('Identity', ['next'], ['seen'])],
    outputs: { next: vector, seen: vector },
  });
  const spec = (lengths: readonly string[]): OnnxSpec => ({
    opset: 8,
    inputs: { s0: ['f32', [2, 2]], x: ['f32', [2, 3, 2]] },
    initializers: { short: tensor('i64', [2], [3, 2]), full: tensor('i64', [2], [3, 3]) },
    nodes: [node('Scan', [...lengths, 's0', 'x'], ['s', 'all'], { num_scan_inputs: 1n, directions: [1n], body })],
    outputs: ['s', 'all'],
  });
  const feeds = {
    s0: tensor('f32', [2, 2], [0, 0, 100, 200]),
    x: tensor('f32', [2, 3, 2], [1, 2, 3, 4, 5, 6, 1, 1, 2, 2, 3, 3]),
  };
  for (const lengths of [[''], ['full']]) {
    const { s, all } = await run(readOnnx(onnxBytes(spec(lengths))), feeds);
    assert.deepEqual(s, tensor('f32', [2, 2], [9, 12, 106, 206]));
    assert.deepEqual(all, tensor('f32', [2, 3, 2], [5, 6, 8, 10, 9, 12, 103, 203, 105, 205, 106, 206]));
  }
  refuses(spec(['short']), 'ERR_ONNX_UNSUPPORTED', /different lengths/);
});
