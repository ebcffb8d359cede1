// Einsum: sums of products over labelled axes.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import type { Node, OutputPort } from '../../graph/node.ts';
import { fromFloat64, toFloat64 } from '../../tensor/convert.ts';
import { elementCount, isStatic, type Shape, stridesOf } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { stridedOffsets } from '../broadcast.ts';
import { defineOp } from '../define-op.ts';
import type { Expansion } from '../expansion.ts';
import { commonType, type Facts, inputFact } from '../fact.ts';
import { expandEinsum } from './expand-einsum.ts';

const attributes = z.object({ equation: z.string() });

/** An equation spelled out: a label for each axis of each operand, and of the output. */
interface Labels {
  readonly operands: readonly (readonly string[])[];
  readonly output: readonly string[];
}

function fail(equation: string, text: string): never {
  throw new LowpError('ERR_OP_ATTRIBUTE', `the equation '${equation}' ${text}`);
}

/** Labels of one term; the axes of an ellipsis are called 0, 1, … from the last one. */
function labelsOf(equation: string, term: string, rank: number): string[] {
  if (!/^[A-Za-z]*(\.\.\.)?[A-Za-z]*$/.test(term)) fail(equation, `has the term '${term}'`);
  const [front = '', back] = term.split('...');
  const named = front.length + (back?.length ?? 0);
  const dots = rank - named;
  if (dots < 0 || (dots > 0 && back === undefined)) {
    fail(equation, `has the term '${term}' for an operand of rank ${rank}`);
  }
  return [...front, ...Array.from({ length: dots }, (_, i) => `${dots - 1 - i}`), ...(back ?? '')];
}

function parse(equation: string, shapes: readonly Shape[]): Labels {
  const [left = '', right, ...more] = equation.replaceAll(' ', '').split('->');
  const terms = left.split(',');
  if (more.length > 0 || terms.length !== shapes.length) fail(equation, `does not fit ${shapes.length} operands`);
  const operands = terms.map((term, i) => labelsOf(equation, term, shapes[i]!.length));
  const all = operands.flat();
  const ellipsis = [...new Set(all.filter((l) => /\d/.test(l)))].sort((a, b) => Number(b) - Number(a));
  if (right === undefined) {
    const once = all.filter((l) => /\D/.test(l) && all.indexOf(l) === all.lastIndexOf(l));
    return { operands, output: [...ellipsis, ...once.sort()] };
  }
  const output = labelsOf(
    equation,
    right,
    right.replace('...', '').length + (right.includes('...') ? ellipsis.length : 0),
  );
  const wrong = output.find((l, i) => !all.includes(l) || output.indexOf(l) !== i);
  if (wrong !== undefined) fail(equation, `has the label '${wrong}' in its output`);
  return { operands, output };
}

/** The size of each label; axes of one label have one size, or size 1 and are repeated. */
function sizesOf(labels: Labels, shapes: readonly Shape[]): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const [i, operand] of labels.operands.entries()) {
    for (const [axis, label] of operand.entries()) {
      const [size, known] = [shapes[i]![axis]!, sizes.get(label) ?? 1];
      if (known !== 1 && size !== 1 && known >= 0 && size >= 0 && known !== size) {
        throw new LowpError('ERR_SHAPE_MISMATCH', `operands of sizes ${known} and ${size} meet at '${label}'`);
      }
      sizes.set(label, known === 1 ? size : size === 1 ? known : Math.max(known, size));
    }
  }
  return sizes;
}

function infer(a: z.infer<typeof attributes>, inputs: Facts) {
  const facts = inputs.map((_, i) => inputFact(inputs, i));
  const shapes = facts.map((f) => f.shape);
  const labels = parse(a.equation, shapes);
  const sizes = sizesOf(labels, shapes);
  return [{ type: commonType(...facts), shape: labels.output.map((l) => sizes.get(l)!) }];
}

/** For each index of `labels`, the place of an operand's element: repeated labels walk the diagonal. */
function placesOf(labels: readonly string[], sizes: readonly number[], operand: readonly string[], shape: Shape) {
  const strides = stridesOf(shape);
  const steps = labels.map((label) =>
    operand.reduce((sum, l, axis) => (l === label && shape[axis] !== 1 ? sum + strides[axis]! : sum), 0),
  );
  return stridedOffsets(sizes, steps);
}

function einsum(equation: string, inputs: readonly Tensor[]): Tensor {
  const shapes = inputs.map((t) => t.shape);
  const labels = parse(equation, shapes);
  const sizes = sizesOf(labels, shapes);
  const summed = [...sizes.keys()].filter((l) => !labels.output.includes(l));
  const [outer, inner] = [labels.output, summed].map((list) => list.map((l) => sizes.get(l)!));
  const values = inputs.map(toFloat64);
  const bases = labels.operands.map((o, i) => placesOf(labels.output, outer!, o, shapes[i]!));
  const steps = labels.operands.map((o, i) => placesOf(summed, inner!, o, shapes[i]!));
  const out = new Float64Array(elementCount(outer!));
  const terms = elementCount(inner!);
  for (let p = 0; p < out.length; p++) {
    let sum = 0;
    for (let q = 0; q < terms; q++) {
      let product = 1;
      for (let i = 0; i < values.length; i++) product *= values[i]![bases[i]![p]! + steps[i]![q]!]!;
      sum += product;
    }
    out[p] = sum;
  }
  return fromFloat64(out, outer!, inputs[0]!.type);
}

function expand(equation: string, node: Node, e: Expansion): readonly OutputPort[] | undefined {
  const ports = node.inputs.map((input) => input.source!);
  if (ports.some(({ fact }) => fact.type !== 'f32' || !isStatic(fact.shape))) return undefined;
  const shapes = ports.map((port) => port.fact.shape);
  const { operands, output } = parse(equation, shapes);
  const port = expandEinsum(e, { ports, operands, output, sizes: sizesOf({ operands, output }, shapes) });
  return port && [port];
}

/**
 * `ij,jk->ik`: a letter for each axis; products are summed over letters that the output does not have. `...` stands for
 * leading axes that broadcast. Without `->` the output has `...` and the letters that appear once, in ASCII order.
 */
export const einsumOp = defineOp({
  type: 'Einsum',
  opset: 'opset7',
  attributes,
  inputs: [1, Number.POSITIVE_INFINITY],
  infer,
  evaluate: (a, inputs) => [einsum(a.equation, inputs)],
  expand: (a, node, e) => expand(a.equation, node, e),
});
