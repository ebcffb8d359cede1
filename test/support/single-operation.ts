// One operation as a model of its own, beside the reference; numbers for detection heads.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { compileNative } from '../../lib/engines/native-engine.ts';
import { createNode } from '../../lib/ops/index.ts';
import { maxAbsError } from '../../lib/tensor/compare.ts';
import { elementCount, type Shape } from '../../lib/tensor/shape.ts';
import { type Tensor, tensor } from '../../lib/tensor/tensor.ts';
import { random } from '../../lib/util/random.ts';
import { runnableIsas } from './isas.ts';
import { evaluate, ModelBuilder } from './model-builder.ts';

/** One operation: its inputs, undefined where an optional one is absent, and those that are constants. */
export interface Plan {
  readonly op: string;
  readonly opset?: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly inputs: readonly (Tensor | undefined)[];
  readonly constants?: readonly number[];
  readonly outputs?: number;
}

export function modelOf(plan: Plan) {
  const b = new ModelBuilder();
  const feeds: Record<string, Tensor> = {};
  const inputs = plan.inputs.map((value, i) => {
    if (!value || !plan.constants?.includes(i)) {
      if (value) feeds[`input${i}`] = value;
      return value && b.parameter(`input${i}`, value.shape, value.type);
    }
    return b.constant(`input${i}`, value.shape, [...value.data].map(Number), value.type);
  });
  const notes = plan.opset ? { notes: { opset: plan.opset } } : {};
  const node = createNode(b.model, { type: plan.op, name: 'operation', attributes: plan.attributes, inputs, ...notes });
  for (let i = 0; i < (plan.outputs ?? 1); i++)
    createNode(b.model, { type: 'Result', name: `result${i}`, attributes: {}, inputs: [node.outputs[i]!] });
  return { model: b.model, feeds };
}

/**
 * The native engine gives the reference's elements with no operation on the host but these: without vectors, with AVX2 on
 * one thread, and with all there is.
 *
 * @param tolerance  of floats; 0: equal elements
 */
export async function expectNative(plan: Plan, onHost: readonly string[] = [], tolerance = 0): Promise<void> {
  const { model, feeds } = modelOf(plan);
  const expected = await evaluate(model, feeds);
  const isas = runnableIsas();
  for (const maxIsa of isas.filter((isa, i) => isa === 'scalar' || isa === 'avx2' || i === isas.length - 1)) {
    await using executable = await compileNative(model, { maxIsa, threads: maxIsa === 'avx2' ? 1 : 2 });
    const hosts = executable.steps.flatMap((s) => (s.kind === 'host' ? [s.node.type] : []));
    assert.deepEqual(hosts, onHost);
    const { outputs } = await executable.run(feeds);
    for (const [name, { type, shape, data }] of Object.entries(expected)) {
      assert.deepEqual([outputs[name]!.type, outputs[name]!.shape], [type, shape]);
      if (tolerance > 0) assert.ok(maxAbsError(outputs[name]!, expected[name]!) <= tolerance, name);
      // The payload of NaN is nobody's business.
      else assert.deepEqual([...outputs[name]!.data], [...data]);
    }
  }
}

export const seed = fc.integer({ min: 1, max: 1e6 });
export const flag = fc.boolean();
export const share = fc.constantFrom(0, 0.3, 0.5, 0.9, 1);

/** Numbers in [0, 1), of which `steps` differ: coarse ones are often equal. */
export function shares(shape: Shape, seed: number, steps: number): Tensor {
  const { normal } = random(seed);
  const value = () => (Math.floor(Math.abs(normal()) * 1e6) % steps) / steps;
  return tensor('f32', shape, Array.from({ length: elementCount(shape) }, value));
}

/** Some of the numbers are none, or have no end. */
export function spoiled(x: Tensor, seed: number): Tensor {
  const { normal } = random(seed);
  const special = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0];
  const data = (x.data as Float32Array).map((v) => {
    const pick = Math.floor(Math.abs(normal()) * 1e5);
    return pick % 9 === 0 ? special[pick % special.length]! : v;
  });
  return { ...x, data };
}

/** Boxes of the unit square: near corners and far ones. */
export function cornerBoxes(count: number, seed: number, steps: number): number[] {
  const all = shares([count, 4], seed, steps).data as Float32Array;
  return Array.from({ length: count * 4 }, (_, i) => {
    const [a, b] = [all[i - (i % 4) + (i % 2)]!, all[i - (i % 4) + (i % 2) + 2]!];
    return i % 4 < 2 ? Math.min(a, b) : Math.max(a, b);
  });
}
