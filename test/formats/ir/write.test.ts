import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { referenceEngine } from '../../../lib/engines/reference-engine.ts';
import { readIr } from '../../../lib/formats/ir/read.ts';
import { writeIr } from '../../../lib/formats/ir/write.ts';
import { addNode } from '../../../lib/graph/edit.ts';
import type { Model } from '../../../lib/graph/model.ts';
import { addIr, irText } from '../../support/ir-text.ts';
import { loopModels } from '../../support/loop-models.ts';
import { ModelBuilder } from '../../support/model-builder.ts';
import { assertSameModel } from '../../support/same-model.ts';

const bin = new Uint8Array(Float32Array.of(1, 2).buffer);

function smallNet(): Model {
  const b = new ModelBuilder('small');
  const x = b.parameter('x', [1, 2, 4, 4]);
  const conv = b.convolution(x, b.weights('w', [3, 2, 3, 3]));
  const sum = b.op('Add', [conv, b.constant('b', [1, 3, 1, 1], [1, 2, 3])]);
  const clamp = b.op('Clamp', [sum], { min: -Infinity, max: 1e-7 });
  const flat = b.op('Reshape', [clamp, b.constant('shape', [2], [0, -1], 'i64')], { special_zero: true });
  flat.names = ['a,b', 'flat'];
  b.result(flat);
  b.result(b.op('SoftMax', [flat], { axis: 1 }));
  return b.model;
}

describe('writeIr', () => {
  it('writes an IR of version 11 in a fixed form', () => {
    const { xml, bin: bytes } = writeIr(readIr(addIr(), bin));
    assert.equal(
      xml,
      [
        '<?xml version="1.0"?>',
        '<net name="n" version="11">',
        '\t<layers>',
        '\t\t<layer id="0" name="x" type="Parameter" version="opset1">',
        '\t\t\t<data element_type="f32" shape="2"/>',
        '\t\t\t<output>',
        '\t\t\t\t<port id="0" precision="FP32" names="x">',
        '\t\t\t\t\t<dim>2</dim>',
        '\t\t\t\t</port>',
        '\t\t\t</output>',
        '\t\t</layer>',
        '\t\t<layer id="1" name="c" type="Const" version="opset1">',
        '\t\t\t<data element_type="f32" shape="2" offset="0" size="8"/>',
        '\t\t\t<output>',
        '\t\t\t\t<port id="0" precision="FP32">',
        '\t\t\t\t\t<dim>2</dim>',
        '\t\t\t\t</port>',
        '\t\t\t</output>',
        '\t\t</layer>',
        '\t\t<layer id="2" name="sum" type="Add" version="opset1">',
        '\t\t\t<data auto_broadcast="numpy"/>',
        '\t\t\t<input>',
        '\t\t\t\t<port id="0" precision="FP32">',
        '\t\t\t\t\t<dim>2</dim>',
        '\t\t\t\t</port>',
        '\t\t\t\t<port id="1" precision="FP32">',
        '\t\t\t\t\t<dim>2</dim>',
        '\t\t\t\t</port>',
        '\t\t\t</input>',
        '\t\t\t<output>',
        '\t\t\t\t<port id="2" precision="FP32" names="y">',
        '\t\t\t\t\t<dim>2</dim>',
        '\t\t\t\t</port>',
        '\t\t\t</output>',
        '\t\t</layer>',
        '\t\t<layer id="3" name="y" type="Result" version="opset1">',
        '\t\t\t<input>',
        '\t\t\t\t<port id="0" precision="FP32">',
        '\t\t\t\t\t<dim>2</dim>',
        '\t\t\t\t</port>',
        '\t\t\t</input>',
        '\t\t</layer>',
        '\t</layers>',
        '\t<edges>',
        '\t\t<edge from-layer="0" from-port="0" to-layer="2" to-port="0"/>',
        '\t\t<edge from-layer="1" from-port="0" to-layer="2" to-port="1"/>',
        '\t\t<edge from-layer="2" from-port="2" to-layer="3" to-port="0"/>',
        '\t</edges>',
        '</net>',
        '',
      ].join('\n'),
    );
    assert.deepEqual(bytes, bin);
  });

  it('reads back the model, and writes it as the same bytes again', () => {
    const first = writeIr(smallNet());
    const model = readIr(first.xml, first.bin);
    const second = writeIr(model);
    assert.equal(second.xml, first.xml);
    assert.deepEqual(second.bin, first.bin);
    assertSameModel(readIr(second.xml, second.bin), model);
    assert.deepEqual(model.node('reshape').output.names, ['a,b', 'flat']);
    assert.deepEqual(model.node('clamp').attributes, { min: -Infinity, max: 1e-7 });
  });

  it('writes twice the same', () => {
    assert.deepEqual(writeIr(smallNet()), writeIr(smallNet()));
  });

  it('stores equal constants once, aligned to their elements', () => {
    const b = new ModelBuilder();
    const ports = [
      b.constant('odd', [3], [1, 2, 3], 'i8'),
      b.constant('one', [2], [1, 2]),
      b.constant('same', [2, 1], [1, 2]),
      b.constant('half', [1], [1], 'i16'),
      b.constant('wide', [1], [7], 'i64'),
    ];
    for (const port of ports) b.result(port);
    const { xml, bin: bytes } = writeIr(b.model);
    const places = [...xml.matchAll(/offset="(\d+)" size="(\d+)"/g)].map((m) => [Number(m[1]), Number(m[2])]);
    assert.deepEqual(places, [
      [0, 3],
      [4, 8],
      [4, 8],
      [12, 2],
      [16, 8],
    ]);
    assert.equal(bytes.length, 24);
    const model = readIr(xml, bytes);
    assert.equal(model.node('one').output.fact.value!.data.buffer, bytes.buffer);
  });

  it('keeps every rt_info, unknown attribute and dimension range', () => {
    const info = '<rt_info><attribute name="fused_names" version="0" value="a,b"/></rt_info>';
    const xml = irText(
      [
        { id: 0, type: 'Parameter', data: 'element_type="f32" shape="?,2..8"', extra: info },
        { id: 1, type: 'ReLU', data: 'junk="&lt;1&gt;"', inputs: 1, extra: info },
        { id: 2, type: 'Result', inputs: 1, outputs: 0, extra: info },
      ],
      [
        [0, 0, 1, 0],
        [1, 1, 2, 0],
      ],
      '<rt_info><MO_version value="1"/><nncf><config>{ \'x\': "y" }</config></nncf></rt_info>',
    );
    const model = readIr(xml, undefined);
    const written = writeIr(model);
    const again = readIr(written.xml, written.bin);
    assertSameModel(again, model);
    assert.match(written.xml, /shape="\?,2\.\.8"/);
  });

  it('writes the shape that the input has now when the range no longer says it', () => {
    const b = new ModelBuilder();
    const x = b.parameter('x', [-1, 3]);
    b.result(x);
    const model = readIr(writeIr(b.model).xml.replace('shape="?,3"', 'shape="1..4,3"'), undefined);
    const [input] = model.parameters();
    input!.output.fact = { type: 'f32', shape: [2, 3] };
    assert.match(writeIr(model).xml, /shape="2,3"/);
  });

  it('writes version 10 only for a model that was read from it', () => {
    const model = readIr(addIr().replace('version="11"', 'version="10"'), bin);
    assert.match(writeIr(model, { version: 10 }).xml, /<net name="n" version="10">/);
    assert.match(writeIr(model).xml, /<net name="n" version="11">/);
    assert.throws(() => writeIr(smallNet(), { version: 10 }), { code: 'ERR_FORMAT_UNSUPPORTED' });
  });

  it('moves the model-level elements of version 10 to where version 11 has them', () => {
    const rest =
      '<meta_data><MO_version value="m"/><cli_parameters><batch value="1"/></cli_parameters></meta_data>' +
      '<quantization_parameters><version value="q"/></quantization_parameters>';
    const model = readIr(irText([{ id: 0, type: 'Parameter', data: 'shape="1"' }], [], rest, '10'), undefined);
    const { meta } = readIr(writeIr(model).xml, undefined);
    const leaf = (name: string, value: string) => ({ name, attributes: { value }, children: [] });
    assert.deepEqual(meta, [
      {
        name: 'rt_info',
        attributes: {},
        children: [
          leaf('MO_version', 'm'),
          { name: 'conversion_parameters', attributes: {}, children: [leaf('batch', '1')] },
          { name: 'optimization', attributes: {}, children: [leaf('version', 'q')] },
        ],
      },
    ]);
    assert.match(writeIr(model, { version: 10 }).xml, /<meta_data>/);
  });

  it('keeps the order of 4-bit elements that the version in the file stands for', () => {
    const rest = '<rt_info><Runtime_version value="2023.1.0-1"/></rt_info>';
    const layers = [
      { id: 0, type: 'Const', data: 'element_type="i4" shape="2" offset="0" size="1"' },
      { id: 1, type: 'Result', inputs: 1, outputs: 0 },
    ];
    const { bin: bytes } = writeIr(readIr(irText(layers, [[0, 0, 1, 0]], rest), Uint8Array.of(0x21)));
    assert.deepEqual(bytes, Uint8Array.of(0x21));
  });

  it('writes the names that outputs are read by', () => {
    const b = new ModelBuilder();
    const x = b.parameter('x', [1]);
    const y = b.op('ReLU', [x]);
    b.result(y).output.names = ['out'];
    assert.match(writeIr(b.model).xml, /names="out"/);
  });

  it('writes loops of every form', async () => {
    for (const { name, model, feeds } of loopModels()) {
      const { xml, bin: constants } = writeIr(model);
      const again = readIr(Buffer.from(xml), constants);
      const [expected, outputs] = await Promise.all(
        [model, again].map(async (m) => {
          await using executable = await referenceEngine.compile(m);
          return (await executable.run(feeds)).outputs;
        }),
      );
      assert.deepEqual(outputs, expected, name);
    }
  });

  it('refuses what the IR cannot hold, naming it', () => {
    const b = new ModelBuilder();
    const x = b.parameter('x', [1]);
    const gap = addNode(b.model, {
      type: 'Concat',
      name: 'gap',
      attributes: { axis: 0 },
      inputs: [undefined, x],
      outputs: [x.fact],
    });
    b.result(gap.output);
    assert.throws(() => writeIr(b.model), { code: 'ERR_FORMAT_UNSUPPORTED', node: 'gap' });
    const bad = new ModelBuilder();
    bad.result(bad.parameter('a\u0001b', [1]));
    assert.throws(() => writeIr(bad.model), { code: 'ERR_FORMAT_UNSUPPORTED' });
  });

  it('writes a chain of 50 000 nodes without recursion', { timeout: 60_000 }, () => {
    const b = new ModelBuilder();
    let port = b.parameter('x', [1]);
    for (let i = 0; i < 50_000; i++) port = b.op('ReLU', [port], {}, `r${i}`);
    b.result(port);
    const { xml, bin: bytes } = writeIr(b.model);
    assert.equal(readIr(xml, bytes).nodeById.size, 50_002);
  });
});
