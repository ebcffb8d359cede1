import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LowpError } from '../../../lib/errors/lowp-error.ts';
import { readIr } from '../../../lib/formats/ir/read.ts';
import { inputName, outputName } from '../../../lib/graph/model.ts';
import { verify } from '../../../lib/graph/verify.ts';
import { addIr, type EdgeText, irText, type LayerText } from '../../support/ir-text.ts';

const bin = new Uint8Array(Float32Array.of(1, 2).buffer);

function failure(xml: string, bytes: Uint8Array | undefined = bin): LowpError {
  try {
    readIr(xml, bytes, { path: 'net.xml' });
  } catch (error) {
    assert.ok(error instanceof LowpError, `not a LowpError: ${error instanceof Error ? error.stack : String(error)}`);
    assert.equal(error.path, 'net.xml');
    return error;
  }
  return assert.fail('nothing was thrown');
}

const parameter = (id: number, shape = '2', type = 'f32'): LayerText => ({
  id,
  type: 'Parameter',
  name: `x${id}`,
  data: `element_type="${type}" shape="${shape}"`,
});

/** A chain of layers of one input each, from a Parameter of that shape to a Result. */
function chain(types: readonly Omit<LayerText, 'id'>[], shape = '2'): string {
  const layers: LayerText[] = [parameter(0, shape)];
  const edges: EdgeText[] = [];
  for (const [i, layer] of [...types, { type: 'Result', outputs: 0 }].entries()) {
    layers.push({ inputs: 1, ...layer, id: i + 1 });
    edges.push([i, i === 0 ? 0 : 1, i + 1, 0]);
  }
  return irText(layers, edges);
}

describe('readIr', () => {
  it('reads inputs, constants, operations and outputs with their names', () => {
    const model = readIr(addIr(), bin, { path: 'net.xml' });
    verify(model);
    assert.deepEqual(
      model.nodes().map((n) => [n.name, n.type, n.notes.opset]),
      [
        ['x', 'Parameter', 'opset1'],
        ['c', 'Constant', 'opset1'],
        ['sum', 'Add', 'opset1'],
        ['y', 'Result', 'opset1'],
      ],
    );
    assert.deepEqual(model.node('c').output.fact.value?.data, Float32Array.of(1, 2));
    assert.deepEqual([inputName(model.parameters()[0]!), outputName(model.results()[0]!)], ['x', 'y']);
    assert.deepEqual([model.path, model.name, model.irVersion], ['net.xml', 'n', 11]);
  });

  it('shares the memory of the .bin where it is aligned', () => {
    const bytes = new Uint8Array(Float32Array.of(1, 2).buffer);
    assert.equal(readIr(addIr(), bytes).node('c').output.fact.value?.data.buffer, bytes.buffer);
  });

  it('copies unaligned constants, also from a Buffer that is a part of a pool', () => {
    const pool = Buffer.alloc(64, 0xee);
    const odd = pool.subarray(3, 3 + 9);
    odd.set(bin, 1);
    const model = readIr(addIr('element_type="f32" shape="2" offset="1" size="8"'), odd);
    assert.deepEqual(model.node('c').output.fact.value?.data, Float32Array.of(1, 2));
  });

  it('reads layers in any order, keeps the order of inputs and outputs', () => {
    const layers: LayerText[] = [
      { id: 9, type: 'Result', name: 'second', inputs: 1, outputs: 0 },
      { id: 4, type: 'ReLU', name: 'r', inputs: 1 },
      { id: 7, type: 'Add', name: 'a', data: '', inputs: 2 },
      { id: 8, type: 'Result', name: 'first', inputs: 1, outputs: 0 },
      parameter(3),
      parameter(1),
    ];
    const model = readIr(
      irText(layers, [
        [7, 2, 4, 0],
        [4, 1, 9, 0],
        [7, 2, 8, 0],
        [1, 0, 7, 0],
        [3, 0, 7, 1],
      ]),
      undefined,
    );
    assert.deepEqual(
      model.parameters().map((n) => n.name),
      ['x3', 'x1'],
    );
    assert.deepEqual(
      model.results().map((n) => n.name),
      ['second', 'first'],
    );
    assert.deepEqual(
      model.nodes().map((n) => n.name),
      ['x3', 'x1', 'a', 'r', 'second', 'first'],
    );
  });

  it('takes port numbers of edges from the file, not from their position', () => {
    const split =
      '<input><port id="5"/><port id="6"/></input><output><port id="20" precision="FP32"/><port id="10" precision="FP32"/></output>';
    const model = readIr(
      irText(
        [
          parameter(0, '4'),
          { id: 1, type: 'Const', data: 'element_type="i64" shape="" offset="0" size="8"' },
          { id: 2, type: 'Split', name: 's', data: 'num_splits="2"', extra: split, outputs: 0 },
          { id: 3, type: 'Result', name: 'r', inputs: 1, outputs: 0 },
        ],
        [
          [0, 0, 2, 5],
          [1, 0, 2, 6],
          [2, 10, 3, 0],
        ],
      ),
      new Uint8Array(8),
    );
    assert.equal(model.node('r').source(0)?.index, 1);
    assert.equal(model.node('s').source(0)?.node.name, 'x0');
  });

  it('separates tensor names at commas that are not escaped', () => {
    const model = readIr(chain([{ type: 'ReLU', name: 'r', names: 'a\\,b,c' }]), undefined);
    assert.deepEqual(model.node('r').output.names, ['a,b', 'c']);
  });

  it('gives layers of one name different names', () => {
    const many = Array.from({ length: 2000 }, () => ({ type: 'ReLU', name: 'same' }));
    const model = readIr(chain(many), undefined);
    assert.equal(new Set(model.nodes().map((n) => n.name)).size, 2002);
  });

  it('compares types without case and corrects the opset of old labels', () => {
    const model = readIr(
      chain([{ type: 'relu' }, { type: 'SOFTMAX', data: 'axis="0"', opset: 'extension' }]),
      undefined,
    );
    assert.deepEqual(
      model.nodes().map((n) => [n.type, n.notes.opset]),
      [
        ['Parameter', 'opset1'],
        ['ReLU', 'opset1'],
        ['SoftMax', 'opset6'],
        ['Result', 'opset1'],
      ],
    );
  });

  it('keeps rt_info of layers, ports and the model, and attributes that the operation does not know', () => {
    const info = (name: string): string => `<rt_info><attribute name="${name}" version="0" value="v"/></rt_info>`;
    const ports = `<input><port id="0">${info('in')}</port></input><output><port id="1" precision="FP32">${info('out')}</port></output>`;
    const layers = [
      parameter(0),
      { id: 1, type: 'ReLU', name: 'r', data: 'junk="7"', extra: info('layer') + ports, outputs: 0 },
      { id: 2, type: 'Result', inputs: 1, outputs: 0 },
    ];
    const rest =
      '<rt_info><nncf><version value="3"/></nncf></rt_info><quantization_parameters><config>{ \'a\': 1 }</config></quantization_parameters>';
    const model = readIr(irText(layers, [[0, 0, 1, 0], [1, 1, 2, 0]], rest), undefined); // biome-ignore format: one line
    const kept = (name: string) => [{ name, version: '0', value: 'v' }];
    assert.deepEqual(model.node('r').notes, {
      opset: 'opset1',
      rtInfo: kept('layer'),
      portRtInfo: { 0: kept('out') },
      inputRtInfo: { 0: kept('in') },
      unknownAttributes: { junk: '7' },
    });
    assert.deepEqual(
      model.meta.map((m) => [m.name, m.children[0]!.name, m.children[0]!.text]),
      [
        ['rt_info', 'nncf', undefined],
        ['quantization_parameters', 'config', "{ 'a': 1 }"],
      ],
    );
  });

  it('reads dynamic dimensions and keeps their ranges', () => {
    const model = readIr(chain([{ type: 'ReLU' }], '?,3,2..8,..4,-1'), undefined);
    const [x] = model.parameters();
    assert.deepEqual(x!.output.fact.shape, [-1, 3, -1, -1, -1]);
    assert.deepEqual(x!.notes.unknownAttributes, { shape: '?,3,2..8,..4,-1' });
  });

  it('computes shapes that depend on the shape of an input', () => {
    const i64 = new Uint8Array(BigInt64Array.of(0n, 3n, -1n).buffer);
    const model = readIr(
      irText(
        [
          parameter(0, '5,2,2'),
          { id: 1, type: 'ShapeOf', opset: 'opset3', data: 'output_type="i64"', inputs: 1 },
          { id: 2, type: 'Const', data: 'element_type="i64" shape="1" offset="0" size="8"' },
          { id: 3, type: 'Const', data: 'element_type="i64" shape="" offset="0" size="8"' },
          { id: 4, type: 'Gather', opset: 'opset8', data: 'batch_dims="0"', inputs: 3 },
          { id: 5, type: 'Const', data: 'element_type="i64" shape="1" offset="16" size="8"' },
          { id: 6, type: 'Concat', data: 'axis="0"', inputs: 2 },
          { id: 7, type: 'Reshape', name: 'reshape', data: 'special_zero="false"', inputs: 2 },
          { id: 8, type: 'Result', inputs: 1, outputs: 0 },
        ],
        [
          [0, 0, 1, 0],
          [1, 1, 4, 0],
          [2, 0, 4, 1],
          [3, 0, 4, 2],
          [4, 3, 6, 0],
          [5, 0, 6, 1],
          [0, 0, 7, 0],
          [6, 2, 7, 1],
          [7, 2, 8, 0],
        ],
      ),
      i64,
    );
    assert.deepEqual(model.node('reshape').output.fact.shape, [5, 4]);
  });

  it('reads 4-bit constants in the order of the version that wrote them', () => {
    const read = (version: string): readonly number[] => {
      const rest = `<rt_info><Runtime_version value="${version}-1-abc"/></rt_info>`;
      const layers: LayerText[] = [
        { id: 0, type: 'Const', name: 'c', data: 'element_type="u4" shape="2" offset="0" size="1"' },
        { id: 1, type: 'Result', inputs: 1, outputs: 0 },
      ];
      const model = readIr(irText(layers, [[0, 0, 1, 0]], rest), Uint8Array.of(0x21));
      return Array.from(model.node('c').output.fact.value!.data, Number);
    };
    assert.deepEqual([read('2023.3.0'), read('2024.0.0')], [[0x12], [0x21]]);
  });

  // A reader that is quadratic in layers, edges or equal names needs many minutes for this.
  it('reads 100 000 layers of one name within a minute', { timeout: 60_000 }, () => {
    const xml = chain(Array.from({ length: 100_000 }, () => ({ type: 'ReLU', name: 'same' })));
    assert.equal(readIr(xml, undefined).nodeById.size, 100_002);
  });
});

describe('readIr refuses', () => {
  it('operations that are not known, all of them with counts and an example', () => {
    const error = failure(
      chain([
        { type: 'Foo', name: 'f1' },
        { type: 'Bar', name: 'b' },
        { type: 'Foo', name: 'f2' },
      ]),
    );
    assert.equal(error.code, 'ERR_OP_UNKNOWN');
    assert.equal(error.exitCode, 4);
    assert.match(error.message, /Foo \(2, for example 'f1'\), Bar \(1, for example 'b'\)/);
  });

  for (const version of ['1', '7', '9', '12', '', 'x']) {
    it(`IR version '${version}'`, () => {
      assert.equal(failure(irText([], [], '', version)).code, 'ERR_IR_VERSION');
    });
  }

  it('other XML, and an IR without layers', () => {
    assert.equal(failure('<svg/>').code, 'ERR_FORMAT_UNKNOWN');
    assert.equal(failure('<net version="11"/>').code, 'ERR_IR_SYNTAX');
  });

  it('constants outside of the .bin, or without one', () => {
    const error = failure(addIr(), bin.subarray(0, 7));
    assert.equal(error.code, 'ERR_IR_WEIGHTS_RANGE');
    assert.match(error.message, /Const 'c': .*bytes 0 to 8.* 7 bytes/);
    assert.equal(failure(addIr('element_type="f32" shape="2" offset="4" size="8"')).code, 'ERR_IR_WEIGHTS_RANGE');
    assert.throws(() => readIr(addIr(), undefined), { code: 'ERR_IO_NOT_FOUND' });
  });

  for (const offset of [
    '-1',
    '0x0',
    '9223372036854775808',
    '18446744073709551615',
    '1e9',
    ' 0',
    '0 ',
    '',
    '1.0',
    '+1',
  ]) {
    it(`the offset '${offset}'`, () => {
      const { code } = failure(addIr(`element_type="f32" shape="2" offset="${offset}" size="8"`));
      assert.equal(code, 'ERR_IR_ATTRIBUTE');
    });
  }

  it('an offset and a size whose sum would wrap', () => {
    const constant = 'element_type="f32" shape="2" offset="9007199254740991" size="8"';
    assert.equal(failure(addIr(constant)).code, 'ERR_IR_WEIGHTS_RANGE');
  });

  it('a size that does not follow from the shape', () => {
    for (const size of [0, 4, 12]) {
      const { code } = failure(addIr(`element_type="f32" shape="2" offset="0" size="${size}"`));
      assert.equal(code, 'ERR_IR_CONST_SIZE');
    }
  });

  it('shapes that overflow, before anything is allocated', () => {
    const huge = 'element_type="f32" shape="4294967296,4294967296,4294967296" offset="0" size="8"';
    assert.equal(failure(addIr(huge)).code, 'ERR_SHAPE_OVERFLOW');
    const many = `element_type="f32" shape="${'1,'.repeat(100)}2" offset="0" size="8"`;
    assert.equal(failure(addIr(many)).code, 'ERR_SHAPE_RANK');
  });

  it('element types that cannot be held', () => {
    for (const type of ['u5', 'undefined', '']) {
      const error = failure(addIr(`element_type="${type}" shape="2" offset="0" size="8"`));
      assert.equal(error.code, 'ERR_TYPE_UNSUPPORTED');
      assert.equal(error.exitCode, 4);
    }
  });

  it('a string constant, whatever its header says', () => {
    const { code } = failure(
      addIr('element_type="string" shape="1" offset="1" size="7"'),
      Uint8Array.of(...Array(8).fill(255)),
    );
    assert.equal(code, 'ERR_IR_CONST_SIZE');
  });

  const edges: [string, EdgeText, RegExp][] = [
    ['from a missing layer', [77, 0, 1, 0], /names layer 77/],
    ['to a missing layer', [0, 0, 77, 0], /names layer 77/],
    ['from a missing port', [0, 3, 1, 0], /no output port 3/],
    ['to a missing port', [0, 0, 1, 4], /no input port 4/],
    ['to an input that has one', [0, 0, 1, 0], /two edges lead to input port 0/],
  ];
  for (const [what, edge, message] of edges) {
    it(`an edge ${what}`, () => {
      const layers = [
        parameter(0),
        { id: 1, type: 'ReLU', inputs: 1 },
        { id: 2, type: 'Result', inputs: 1, outputs: 0 },
      ];
      const error = failure(irText(layers, [[0, 0, 1, 0], [1, 1, 2, 0], edge])); // biome-ignore format: one line
      assert.equal(error.code, 'ERR_IR_EDGE');
      assert.match(error.message, message);
      assert.match(error.message, /^line \d+: /);
    });
  }

  it('an input without an edge, and an id that is used twice', () => {
    const relu = { id: 1, type: 'ReLU', inputs: 1 };
    assert.match(failure(irText([parameter(0), relu], [])).message, /no edge leads to input 0/);
    assert.match(failure(irText([parameter(0), parameter(0)], [])).message, /same id 0/);
  });

  it('cycles, printing one', () => {
    const relu = (id: number): LayerText => ({ id, type: 'ReLU', name: `r${id}`, inputs: 1 });
    const loop = failure(irText([relu(0), relu(1)], [[0, 1, 1, 0], [1, 1, 0, 0]])); // biome-ignore format: one line
    assert.equal(loop.code, 'ERR_GRAPH_CYCLE');
    assert.match(loop.message, /'r0' ← 'r1'/);
    assert.equal(failure(irText([relu(0)], [[0, 1, 0, 0]])).code, 'ERR_GRAPH_CYCLE');
  });

  it('FakeQuantize with too few levels, or limits that do not fit', () => {
    const quantize = (levels: string, shape: string, count: number): LowpError => {
      const limit = (id: number): LayerText => ({
        id,
        type: 'Const',
        data: `element_type="f32" shape="${shape}" offset="0" size="${count * 4}"`,
      });
      const layers = [
        parameter(0, '1,2'),
        ...[1, 2, 3, 4].map(limit),
        { id: 5, type: 'FakeQuantize', name: 'fq', data: `levels="${levels}"`, inputs: 5 },
      ];
      const links = [0, 1, 2, 3, 4].map((i): EdgeText => [i, 0, 5, i]);
      return failure(irText(layers, links), new Uint8Array(64));
    };
    for (const levels of ['0', '1', '-5', 'x', '']) {
      const error = quantize(levels, '', 1);
      assert.equal(error.code, 'ERR_OP_ATTRIBUTE');
      assert.equal(error.node, 'fq');
    }
    assert.equal(quantize('256', '3', 3).code, 'ERR_SHAPE_MISMATCH');
  });

  it('shapes that do not fit, naming the layer and its inputs', () => {
    const error = failure(addIr(undefined, '3'));
    assert.equal(error.code, 'ERR_SHAPE_MISMATCH');
    assert.equal(error.node, 'sum');
    assert.match(error.message, /Add 'sum'.*\[3\].*\[2\]/);
  });

  it('a .bin or .xml of another kind of encoding with a typed error', () => {
    assert.equal(failure(String.fromCharCode(0xfffe)).code, 'ERR_IR_SYNTAX');
  });
});

describe('a small IR, damaged', () => {
  const good = addIr();

  it('cut off at every byte gives only LowpErrors', () => {
    const bytes = new TextEncoder().encode(good);
    const end = good.lastIndexOf('</net>') + '</net>'.length;
    for (let length = 0; length < end; length++) {
      assert.throws(() => readIr(bytes.subarray(0, length), bin), LowpError, `cut at ${length}`);
    }
  });

  it('with its .bin cut off at every byte gives only LowpErrors', () => {
    for (let length = 0; length < bin.length; length++)
      assert.throws(() => readIr(good, bin.subarray(0, length)), LowpError);
  });

  it('with any byte changed gives a model or a LowpError', () => {
    const bytes = new TextEncoder().encode(good);
    for (let at = 0; at < bytes.length; at++) {
      for (const value of [0, 0x22, 0x26, 0x2d, 0x30, 0x39, 0x3c, 0x3e, 0xff, bytes[at]! ^ 1]) {
        const copy = bytes.slice();
        copy[at] = value;
        try {
          readIr(copy, bin);
        } catch (error) {
          assert.ok(
            error instanceof LowpError,
            `byte ${at} = ${value}: ${error instanceof Error ? error.stack : error}`,
          );
        }
      }
    }
  });

  it('with any attribute emptied or enlarged gives a model or a LowpError', () => {
    for (const found of good.matchAll(/="([^"]*)"/g)) {
      for (const value of ['', '-1', '99999999999999999999', 'f32', 'NaN', 'x'.repeat(100_000)]) {
        const changed = `${good.slice(0, found.index)}="${value}"${good.slice(found.index + found[0].length)}`;
        try {
          readIr(changed, bin);
        } catch (error) {
          assert.ok(
            error instanceof LowpError,
            `${found[0]} → ${value.slice(0, 20)}: ${error instanceof Error ? error.stack : error}`,
          );
        }
      }
    }
  });
});
