// An operation of the user's, with the zod of the user's, in the packed package.
import assert from 'node:assert/strict';
import { attribute, compile, defineOp, openModel, registerOp, tensor } from 'lowp';
import { getOp } from 'lowp/ops';
import * as z from 'zod';

const wave = defineOp({
  type: 'Wave',
  opset: 'extension',
  attributes: z.object({ frequency: attribute.float.default(1) }),
  inputs: [1, 1],
  infer: (_, [x]) => [{ type: x.type, shape: x.shape }],
  evaluate: ({ frequency }, [x]) => [
    tensor(
      x.type,
      x.shape,
      Array.from(x.data, (v) => Math.sin(frequency * v)),
    ),
  ],
});
registerOp(wave);
assert.equal(getOp('Wave', 'extension').opset, 'extension'); // one registry, whichever path it was imported from

const port = (id) => `<port id="${id}" precision="FP32"><dim>3</dim></port>`;
const xml = `<net name="waves" version="11"><layers>
  <layer id="0" name="x" type="Parameter" version="opset1">
    <data shape="3" element_type="f32"/><output>${port(0)}</output></layer>
  <layer id="1" name="wave" type="Wave" version="extension">
    <data frequency="2"/><input>${port(0)}</input><output>${port(1)}</output></layer>
  <layer id="2" name="y" type="Result" version="opset1"><input>${port(0)}</input></layer></layers>
  <edges><edge from-layer="0" from-port="0" to-layer="1" to-port="0"/>
  <edge from-layer="1" from-port="1" to-layer="2" to-port="0"/></edges></net>`;
const session = await compile(await openModel(new TextEncoder().encode(xml)));
const outputs = await session.infer({ x: tensor('f32', [3], [0, 0.25, 1]) });
assert.deepEqual([...Object.values(outputs)[0].data], [0, Math.fround(Math.sin(0.5)), Math.fround(Math.sin(2))]);
await session.close();
