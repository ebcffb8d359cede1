// Eliminate no-ops: operations whose output is their first input, bit for bit.
import { removeNode } from '../graph/edit.ts';
import { constantOf, type Node } from '../graph/node.ts';
import { mergeEqual } from '../graph/take-over.ts';
import { toIntegers } from '../tensor/convert.ts';
import { isStatic, sameShape } from '../tensor/shape.ts';
import { definePass } from './pass.ts';

/** When an operation of that type does nothing; the index of the input that it passes on. */
type Rule = (node: Node) => number | undefined;

/** Input 0 when its shape is the output's, and both are static. */
const whenSameShape: Rule = (node) => {
  const [from, to] = [node.source(0)?.fact.shape, node.output.fact.shape];
  return from && isStatic(from) && isStatic(to) && sameShape(from, to) ? 0 : undefined;
};

/** Additionally, the constant at that input consists of this number. */
function andAll(input: number, wanted: number, whenAbsent: boolean): Rule {
  return (node) => {
    const port = node.source(input);
    if (!port) return whenAbsent ? whenSameShape(node) : undefined;
    const value = constantOf(port);
    return value && toIntegers(value).every((v) => v === wanted) ? whenSameShape(node) : undefined;
  };
}

const onlyInput: Rule = (node) => (node.inputs.length === 1 ? 0 : undefined);
const onlyOutput: Rule = (node) => (node.outputs.length === 1 ? 0 : undefined);

const rules: Readonly<Record<string, Rule>> = {
  Reshape: whenSameShape,
  Squeeze: whenSameShape,
  Unsqueeze: whenSameShape,
  Broadcast: whenSameShape,
  Tile: whenSameShape,
  Convert: (node) => (node.source(0)?.fact.type === node.output.fact.type ? 0 : undefined),
  Transpose: (node) => {
    const order = constantOf(node.source(1));
    const axes = order && toIntegers(order);
    return axes && axes.length > 0 && axes.every((a, i) => a === i) ? 0 : undefined;
  },
  // Equal shapes with steps of 1 leave nothing to cut away.
  StridedSlice: andAll(3, 1, true),
  Slice: andAll(3, 1, false),
  Pad: (node) => (andAll(1, 0, false)(node) === 0 ? andAll(2, 0, false)(node) : undefined),
  Concat: onlyInput,
  Split: onlyOutput,
  VariadicSplit: onlyOutput,
};

/**
 * Removes Reshape, Squeeze, Unsqueeze, Broadcast and Tile to the same shape, Convert to the same type, Transpose in the
 * given order, slices of everything, Pad by nothing, Concat of one and Split into one. Nodes that name an output of the
 * model stay where removing them would rename it.
 */
export const eliminateNoOp = definePass({
  name: 'eliminate-no-op',
  run(model) {
    let count = 0;
    for (const node of model.nodes()) {
      const input = Object.hasOwn(rules, node.type) ? rules[node.type]!(node) : undefined;
      const source = input === undefined ? undefined : node.source(input);
      if (!source || !mergeEqual(node.output, source)) continue;
      removeNode(model, node);
      count++;
    }
    return count;
  },
});
