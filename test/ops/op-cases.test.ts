import assert from 'node:assert/strict';
import test from 'node:test';
import { referenceEngine } from '../../lib/engines/reference-engine.ts';
import { printAttributes } from '../../lib/formats/ir/attributes.ts';
import { parseAttributes } from '../../lib/ops/create-node.ts';
import { factOf } from '../../lib/ops/fact.ts';
import { allOps, getOp } from '../../lib/ops/index.ts';
import { isNumbered } from '../../lib/ops/registry.ts';
import { maxAbsError } from '../../lib/tensor/compare.ts';
import { formatShape, isStatic } from '../../lib/tensor/shape.ts';
import type { Tensor } from '../../lib/tensor/tensor.ts';
import { opCases } from '../conformance/cases/index.ts';
import { modelOfCase, type OpCase } from '../conformance/cases/op-case.ts';

function assertClose(actual: readonly Tensor[], c: OpCase): void {
  assert.equal(actual.length, c.expected.length, `${c.name}: number of outputs`);
  for (const [i, expected] of c.expected.entries()) {
    assert.equal(actual[i]!.type, expected.type, `${c.name}: type of output ${i}`);
    assert.deepEqual(actual[i]!.shape, expected.shape, `${c.name}: shape of output ${i}`);
    const error = maxAbsError(actual[i]!, expected);
    assert.ok(
      error <= c.tolerance,
      `${c.name}: output ${i} is off by ${error}: ${Array.from(actual[i]!.data, String)}`,
    );
  }
}

test('evaluate gives the expected outputs of every case', () => {
  for (const c of opCases) {
    const definition = getOp(c.op, c.opset);
    const attributes = parseAttributes(definition, c.attributes, c.name);
    assertClose(definition.evaluate!(attributes, c.inputs), c);
  }
});

test('infer states the types and shapes that evaluate gives', () => {
  for (const c of opCases) {
    const definition = getOp(c.op, c.opset);
    const facts = definition.infer(parseAttributes(definition, c.attributes, c.name), c.inputs.map(factOf));
    for (const [i, expected] of c.expected.entries()) {
      assert.equal(facts[i]!.type, expected.type, c.name);
      const open = c.dynamic && facts[i]!.shape[0] === -1;
      assert.deepEqual(facts[i]!.shape, open ? expected.shape.with(0, -1) : expected.shape, c.name);
    }
  }
});

test('a dynamic batch leaves every known size right', () => {
  let inferred = 0;
  for (const c of opCases) {
    if (c.name === 'Squeeze: all axes of one') continue;
    const definition = getOp(c.op, c.opset);
    const attributes = parseAttributes(definition, c.attributes, c.name);
    const facts = c.inputs.map((t, i) => {
      if (i > 0 || t.shape.length < 2) return factOf(t);
      return { type: t.type, shape: t.shape.map((d, axis) => (axis === 0 ? -1 : d)) };
    });
    if (facts.every((f) => isStatic(f.shape))) continue;
    const outputs = definition.infer(attributes, facts);
    inferred++;
    for (const [i, { shape }] of c.expected.entries()) {
      const got = outputs[i]!.shape;
      const fits = got.length === shape.length && got.every((d, axis) => d === -1 || d === shape[axis]);
      assert.ok(fits, `${c.name}: ${formatShape(got)} is not ${formatShape(shape)}`);
    }
  }
  assert.ok(inferred > 50, `${inferred} cases have a batch`);
});

test('a model of one node gives the expected outputs in the reference engine', async () => {
  for (const c of opCases) {
    const { model, feeds } = modelOfCase(c);
    await using executable = await referenceEngine.compile(model);
    const { outputs } = await executable.run(feeds);
    assertClose(Object.values(outputs), c);
  }
});

test('attributes survive printing and parsing', () => {
  for (const c of opCases) {
    const definition = getOp(c.op, c.opset);
    const attributes = parseAttributes(definition, c.attributes, c.name);
    const printed = printAttributes(definition, attributes);
    assert.deepEqual(parseAttributes(definition, printed, c.name), attributes, c.name);
  }
});

/** Ends of a model, operations with bodies, variables: tests of their own cover them. */
const withoutCase = new Set(
  ['Parameter', 'Constant', 'Result'].concat(['TensorIterator', 'Loop', 'If'], ['ReadValue', 'Assign']),
);

test('every operation has a case', () => {
  const covered = new Set(opCases.map((c) => c.op.toLowerCase()));
  // Other tests of this process register operations of their own.
  const known = allOps().filter((d) => isNumbered(d.opset));
  const missing = known.filter((d) => !covered.has(d.type.toLowerCase()) && !withoutCase.has(d.type));
  assert.deepEqual(
    missing.map((d) => d.type),
    [],
  );
});
