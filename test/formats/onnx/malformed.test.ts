import assert from 'node:assert/strict';
import test from 'node:test';
import { create, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import type { ErrorCode } from '../../../lib/errors/codes.ts';
import { LowpError } from '../../../lib/errors/lowp-error.ts';
import {
  type GraphProto,
  type ModelProto,
  ModelProtoSchema,
  type TensorProto,
  ValueInfoProtoSchema,
} from '../../../lib/formats/onnx/onnx_pb.ts';
import { readOnnx } from '../../../lib/formats/onnx/read.ts';
import { type Tensor, tensor } from '../../../lib/tensor/tensor.ts';
import { microsoft } from '../../support/microsoft.ts';
import { node, type OnnxSpec, onnxBytes, onnxProto } from '../../support/onnx.ts';
import { bodyCases } from '../../support/onnx-bodies.ts';

const weights = tensor('f32', [2, 1, 3, 3], new Float32Array(18).fill(0.5));

const small: OnnxSpec = {
  inputs: { x: ['f32', [1, 1, 8, 8]] },
  initializers: { w: weights, b: tensor('f32', [2], [1, 2]) },
  nodes: [node('Conv', ['x', 'w', 'b'], ['c'], { pads: [1n, 1n, 1n, 1n] }), node('Relu', ['c'], ['y'])],
  outputs: ['y'],
};

function refuses(bytes: Uint8Array, code: ErrorCode, pattern?: RegExp): void {
  assert.throws(
    () => readOnnx(bytes),
    (error: unknown) => {
      assert.ok(error instanceof LowpError, `not a LowpError: ${error}`);
      assert.equal(error.code, code, error.message);
      if (pattern) assert.match(error.message, pattern);
      return true;
    },
  );
}

/** The small model after a change to its message. */
function changed(change: (proto: ModelProto) => void, spec: OnnxSpec = small): Uint8Array {
  const proto = onnxProto(spec);
  change(proto);
  return toBinary(ModelProtoSchema, proto);
}

/** One operator on an input `x` of the given shape. */
function single(
  opType: string,
  attributes: Parameters<typeof node>[3],
  shape: readonly number[] = [1, 4, 6, 6],
  initializers: OnnxSpec['initializers'] = {},
): Uint8Array {
  const inputs = ['x', ...Object.keys(initializers)];
  return onnxBytes({
    inputs: { x: ['f32', shape] },
    initializers,
    nodes: [node(opType, inputs, ['y'], attributes, 'n')],
    outputs: ['y'],
  });
}

test('a file cut at any byte is a typed error', () => {
  const bytes = onnxBytes(small);
  for (let length = 0; length < bytes.length; length++) {
    try {
      readOnnx(bytes.slice(0, length));
    } catch (error) {
      assert.ok(error instanceof LowpError, `cut at ${length}: ${error}`);
    }
  }
});

test('flipped bytes are read or a typed error', () => {
  const files = [small, ...bodyCases.map((c) => c.spec)].map((spec) => onnxBytes(spec));
  const byte = fc.record({ at: fc.nat(), value: fc.nat(255) });
  fc.assert(
    fc.property(fc.constantFrom(...files), fc.array(byte, { minLength: 1, maxLength: 4 }), (bytes, changes) => {
      const copy = bytes.slice();
      for (const { at, value } of changes) copy[at % copy.length] = value;
      try {
        readOnnx(copy);
      } catch (error) {
        if (!(error instanceof LowpError)) throw error;
      }
    }),
    { numRuns: 3000, seed: 11 },
  );
});

test('an empty file, and files of other formats, are named', () => {
  refuses(new Uint8Array(0), 'ERR_FORMAT_EMPTY');
  refuses(Buffer.from('version https://git-lfs.github.com/spec/v1\n'), 'ERR_ONNX_SYNTAX', /Git LFS pointer/);
  refuses(Buffer.from('<?xml version="1.0"?><net/>'), 'ERR_ONNX_SYNTAX', /XML/);
  refuses(Buffer.from('\u0089PNG\r\n\u001a\n0000', 'latin1'), 'ERR_ONNX_SYNTAX', /PNG/);
});

test('overlong varints, lengths beyond the message and deeply nested groups are refused', () => {
  refuses(Uint8Array.from([0x08, ...new Array<number>(11).fill(0xff), 0x01]), 'ERR_ONNX_SYNTAX');
  refuses(Uint8Array.from([0x3a, 0xff, 0xff, 0xff, 0x7f]), 'ERR_ONNX_SYNTAX');
  refuses(new Uint8Array(100_000).fill((100 << 3) | 3), 'ERR_ONNX_SYNTAX');
});

test('the operator set must be declared once and lie in the range', () => {
  refuses(onnxBytes({ ...small, opset: 6 }), 'ERR_ONNX_OPSET', /opset 6/);
  refuses(onnxBytes({ ...small, opset: 99 }), 'ERR_ONNX_OPSET', /opset 99/);
  refuses(
    changed((p) => p.opsetImport.pop()),
    'ERR_ONNX_OPSET',
    /names no version/,
  );
  refuses(
    changed((p) => p.opsetImport.push(p.opsetImport[0]!)),
    'ERR_ONNX_OPSET',
    /several/,
  );
});

test('all unknown operators are listed at once', () => {
  const bytes = onnxBytes({
    inputs: { x: ['f32', [1]] },
    nodes: [node('Unheard', ['x'], ['a']), node('__proto__', ['a'], ['b']), node('Unheard', ['b'], ['y'])],
    outputs: ['y'],
  });
  refuses(bytes, 'ERR_ONNX_UNSUPPORTED', /Unheard \(2, first 'a'\), __proto__ \(1, first 'b'\)/);
  refuses(
    changed((p) => {
      p.graph!.node[1]!.domain = 'com.example';
    }),
    'ERR_ONNX_UNSUPPORTED',
    /com\.example::Relu/,
  );
});

/** The small model with another first initializer. */
function withTensor(change: Partial<TensorProto>): Uint8Array {
  return changed((p) => Object.assign(p.graph!.initializer[0]!, change));
}

test('initializers must hold what their shape and type say', () => {
  const refusesTensor = (change: Partial<TensorProto>, pattern: RegExp, code: ErrorCode = 'ERR_ONNX_TENSOR') =>
    refuses(withTensor(change), code, pattern);
  refusesTensor({ dims: [128n, 1n, 3n, 3n] }, /72 bytes/);
  refusesTensor({ rawData: new Uint8Array(0) }, /0 bytes/);
  refusesTensor({ dims: [-2n, 1n, 3n, 3n] }, /negative dimension/);
  refusesTensor({ dims: [2n ** 32n, 2n ** 32n, 2n ** 32n] }, /2\^40/, 'ERR_SHAPE_OVERFLOW');
  refusesTensor({ floatData: [1] }, /several places/);
  refusesTensor({ rawData: new Uint8Array(71) }, /71 bytes/);
  refusesTensor({ dims: new Array<bigint>(100).fill(1n) }, /rank 100/, 'ERR_SHAPE_RANK');
  refusesTensor({ dataType: 8 }, /strings in raw_data/);
  refusesTensor({ dataType: 8, rawData: new Uint8Array(0) }, /0 strings, expected/);
  refusesTensor({ dataType: 14 }, /complex64/, 'ERR_TYPE_UNSUPPORTED');
  refusesTensor({ dataType: 14 }, /complex64/, 'ERR_TYPE_UNSUPPORTED');
  refusesTensor({ dataType: 77 }, /data type 77/);
  refusesTensor({ rawData: new Uint8Array(0), floatData: [1], dataType: 7, dims: [1n] }, /in floatData/);
  refusesTensor({ rawData: new Uint8Array(0), floatData: [1], dims: [2n] }, /1 elements in floatData, expected 2/);
  const sparse = changed((p) => p.graph!.sparseInitializer.push(new Uint8Array(1)));
  refuses(sparse, 'ERR_ONNX_UNSUPPORTED', /sparse/);
});

test('every value is defined once, before it is read', () => {
  const refusesGraph = (change: Partial<GraphProto>, pattern: RegExp, code: ErrorCode = 'ERR_ONNX_GRAPH') =>
    refuses(
      changed((p) => Object.assign(p.graph!, change)),
      code,
      pattern,
    );
  const proto = onnxProto(small).graph!;
  const [conv, relu] = [proto.node[0]!, proto.node[1]!];
  const [x, y, w] = [proto.input[0]!, proto.output[0]!, proto.initializer[0]!];
  const reluNode = (inputs: string[], outputs: string[]) => ({ node: [conv, node('Relu', inputs, outputs)] });
  refusesGraph({ node: [relu, conv] }, /'c'.*defined later/);
  refusesGraph(reluNode(['nothing'], ['y']), /'nothing'/);
  refusesGraph(reluNode(['c'], ['c']), /'c' is defined twice/);
  refusesGraph(reluNode(['c'], ['x']), /'x' is defined twice/);
  refusesGraph(reluNode(['c'], []), /no outputs/);
  refusesGraph(reluNode([], ['y']), /no input 0/, 'ERR_OP_INPUTS');
  refusesGraph({ initializer: [...proto.initializer, w] }, /'w' is defined twice/);
  refusesGraph({ input: [x, x] }, /'x' is declared twice/);
  refusesGraph({ output: [y, y] }, /'y' is declared twice/);
  refusesGraph({ output: [] }, /no outputs/);
  refusesGraph({ output: [create(ValueInfoProtoSchema, { name: 'z' })] }, /'z'/);
  refusesGraph(
    { input: [create(ValueInfoProtoSchema, { name: 'x' })] },
    /not declared as a tensor/,
    'ERR_TYPE_UNSUPPORTED',
  );
});

test('attributes of a wrong kind or range are refused with the node', () => {
  const w = { w: tensor('f32', [4, 4, 3, 3], new Float32Array(144)) };
  const conv = (attributes: Parameters<typeof node>[3]) => single('Conv', attributes, [1, 4, 6, 6], w);
  refuses(conv({ strides: [1.5, 2] }), 'ERR_OP_ATTRIBUTE', /node 'n'.*strides.*kind 6, expected ints/);
  refuses(conv({ strides: [0n, 1n] }), 'ERR_OP_ATTRIBUTE', /strides/);
  refuses(conv({ strides: [1n] }), 'ERR_OP_ATTRIBUTE', /1 elements, expected 2/);
  refuses(conv({ dilations: [0n, 1n] }), 'ERR_OP_ATTRIBUTE', /dilations/);
  refuses(conv({ dilations: [2n ** 31n, 1n] }), 'ERR_OP_ATTRIBUTE', /dilations/);
  refuses(conv({ pads: [-1n, 0n, 0n, 0n] }), 'ERR_OP_ATTRIBUTE', /pads/);
  refuses(conv({ group: 0n }), 'ERR_OP_ATTRIBUTE', /group/);
  refuses(conv({ group: 3n }), 'ERR_OP_ATTRIBUTE', /group/);
  refuses(conv({ kernel_shape: [5n, 5n] }), 'ERR_OP_ATTRIBUTE', /kernel_shape/);
  refuses(conv({ auto_pad: 'SOMETIMES' }), 'ERR_OP_ATTRIBUTE', /SAME_UPPER/);
  refuses(single('Conv', {}, [1, 4, 6], w), 'ERR_ONNX_GRAPH', /rank 4/);
  refuses(single('MaxPool', {}), 'ERR_OP_ATTRIBUTE', /kernel_shape.*missing/);
  refuses(single('MaxPool', { kernel_shape: [0n, 1n] }), 'ERR_OP_ATTRIBUTE', /kernel_shape/);
  refuses(single('Transpose', { perm: [0n, 0n, 1n, 2n] }), 'ERR_OP_ATTRIBUTE', /perm/);
  refuses(single('Concat', {}), 'ERR_OP_ATTRIBUTE', /axis/);
});

test('shapes that cannot be are refused', () => {
  const ints = (...values: number[]) => tensor('i64', [values.length], values);
  refuses(single('Reshape', {}, [2, 3], { s: ints(-1, -1) }), 'ERR_SHAPE_MISMATCH');
  refuses(single('Reshape', {}, [2, 3], { s: ints(4, 2) }), 'ERR_SHAPE_MISMATCH');
  refuses(single('Gather', {}, [2, 3], { i: ints(2) }), 'ERR_ONNX_GRAPH', /index 2/);
  refuses(single('Gather', {}, [2, 3], { i: ints(-3) }), 'ERR_ONNX_GRAPH', /index -3/);
  const slice = { starts: ints(0), ends: ints(2), axes: ints(0), steps: ints(0) };
  refuses(single('Slice', {}, [2, 3], slice), 'ERR_ONNX_GRAPH', /step/);
  refuses(single('Pad', {}, [2], { pads: ints(0, 2 ** 40) }), 'ERR_ONNX_GRAPH', /pad/);
  const scales = (v: number) => ({ roi: tensor('f32', [0], []), scales: tensor('f32', [4], [1, 1, v, 1]) });
  refuses(single('Resize', {}, [1, 1, 4, 4], scales(0)), 'ERR_ONNX_GRAPH', /scales is 0/);
  refuses(single('Resize', {}, [1, 1, 4, 4], scales(Number.NaN)), 'ERR_ONNX_GRAPH', /scales is NaN/);
  refuses(single('Split', {}, [2, 3], { s: ints(1, 1) }), 'ERR_ONNX_GRAPH', /sizes 1,1/);
});

test('a shape of petabytes is not allocated while reading', () => {
  const bytes = onnxBytes({
    initializers: { s: tensor('i64', [2], [1e6, 1e6]) },
    nodes: [node('ConstantOfShape', ['s'], ['y'])],
    outputs: ['y'],
  });
  const before = process.memoryUsage().arrayBuffers;
  readOnnx(bytes);
  assert.ok(process.memoryUsage().arrayBuffers - before < 1e7);
});

test('tables of GatherBlockQuantized and their zero points are checked', () => {
  const gather = (table: Tensor | undefined, zeros: Tensor) =>
    onnxBytes({
      inputs: { i: ['i64', [2]] },
      initializers: { ...(table ? { t: table } : {}), s: tensor('f32', [3, 3], new Float32Array(9).fill(1)), z: zeros },
      nodes: [microsoft('GatherBlockQuantized', [table ? 't' : '', 'i', 's', 'z'], ['y'], { block_size: 16n })],
      outputs: ['y'],
    });
  // Rows of 48 codes of 4 bits are three blocks, whose zero points take two bytes.
  const table = tensor('u8', [3, 24], new Uint8Array(72));
  readOnnx(gather(table, tensor('u8', [3, 2], new Uint8Array(6))));
  refuses(gather(undefined, tensor('u8', [3, 2], new Uint8Array(6))), 'ERR_ONNX_GRAPH', /no table/);
  refuses(
    gather(table, tensor('u8', [3, 1], new Uint8Array(3))),
    'ERR_ONNX_GRAPH',
    /3 elements of u8, expected 6 bytes/,
  );
  refuses(
    gather(table, tensor('i8', [3, 2], new Int8Array(6))),
    'ERR_ONNX_GRAPH',
    /6 elements of i8, expected 6 bytes/,
  );
});

test('the size of CropAndResize is checked', () => {
  const crop = (...size: number[]) =>
    onnxBytes({
      inputs: { x: ['f32', [1, 3, 6, 7]] },
      initializers: {
        b: tensor('f32', [1, 4], [0, 0, 1, 1]),
        i: tensor('i32', [1], [0]),
        s: tensor('i32', [size.length], size),
      },
      nodes: [microsoft('CropAndResize', ['x', 'b', 'i', 's'], ['y'])],
      outputs: ['y'],
    });
  readOnnx(crop(1, 4));
  for (const size of [[4], [4, 4, 4], [0, 4], [4, -1]]) refuses(crop(...size), 'ERR_ONNX_GRAPH', /two positive/);
  refuses(crop(2 ** 31 - 1, 1), 'ERR_LIMIT_SIZE', /2147483647 × 1 pixels/);
});

test('scales and zero points of QuantizeLinear are checked', () => {
  const q = (scale: number, zero = tensor('u8', [], [0])) =>
    single('QuantizeLinear', {}, [4], { s: tensor('f32', [], [scale]), z: zero });
  refuses(q(0), 'ERR_ONNX_GRAPH', /scale is 0/);
  refuses(q(Number.NaN), 'ERR_ONNX_GRAPH', /scale is NaN/);
  refuses(q(-1), 'ERR_ONNX_GRAPH', /scale is -1/);
  refuses(q(1, tensor('f32', [], [0])), 'ERR_ONNX_UNSUPPORTED', /f32/);
  refuses(q(1, tensor('u8', [2], [0, 0])), 'ERR_ONNX_GRAPH', /2 zero points/);
  const channels = { s: tensor('f32', [3], [1, 1, 1]), z: tensor('u8', [3], [0, 0, 0]) };
  refuses(single('QuantizeLinear', { axis: 7n }, [2, 3], channels), 'ERR_SHAPE_RANK');
  refuses(single('QuantizeLinear', { axis: 0n }, [2, 3], channels), 'ERR_ONNX_GRAPH', /axis 0 of size 2/);
});
