// Which revision of an operation a type and an opset name.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { noAttributes } from '../../lib/ops/attribute.ts';
import { defineOp, findOp, getOp } from '../../lib/ops/index.ts';
import { addOp } from '../../lib/ops/registry.ts';

const revision = (opset: string) =>
  defineOp({
    type: 'RegistryProbe',
    opset,
    attributes: noAttributes,
    inputs: [0, 0],
    infer: () => [{ type: 'f32', shape: [] }],
  });

describe('findOp', () => {
  it('gives the operation of the set, else an extension, also one that was registered after it was asked for', () => {
    const [extension, named] = [revision('extension'), revision('com.example')];
    assert.equal(findOp('RegistryProbe', 'com.example'), undefined);
    addOp(extension);
    assert.equal(findOp('RegistryProbe', 'com.example'), extension);
    addOp(named);
    assert.equal(findOp('RegistryProbe', 'com.example'), named);
    assert.equal(findOp('registryprobe', 'com.other'), extension);
    assert.throws(() => addOp(named), { code: 'ERR_CONFIG_INVALID' });
  });

  it('gives the same answer after more questions than it remembers', () => {
    const relu = getOp('Relu', 'opset1');
    for (let i = 0; i < 25000; i++) assert.equal(findOp('Relu', `opset${i + 1}`), relu);
    assert.equal(findOp('Relu', 'opset1'), relu);
  });
});
