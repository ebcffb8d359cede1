// Sums and means of rows of a table: embeddings of bags of words.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import type { Fact, Node } from '../../graph/node.ts';
import { fromFloat64, toFloat64, toIntegers } from '../../tensor/convert.ts';
import type { ElementType } from '../../tensor/element-type.ts';
import { elementCount } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { enumeration, noAttributes } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import { type Facts, inputFact, knownIntegers, requireRank } from '../fact.ts';
import type { LowerContext } from '../lower-context.ts';
import { indexTypes } from '../movement/emit-picks.ts';
import { positionOn } from '../movement/put.ts';

/** The rows of one bag and their weights. */
type Bag = readonly { readonly row: number; readonly weight: number }[];

function inferBags(inputs: Facts, bags: number): Fact[] {
  const table = inputFact(inputs, 0);
  requireRank(table.shape, 1, Number.POSITIVE_INFINITY, 'the table');
  return [{ type: table.type, shape: [bags, ...table.shape.slice(1)] }];
}

/** The sum (or mean) of every bag; one without rows is the default row, or zeros. */
function sumBags(table: Tensor, bags: readonly Bag[], otherwise: number, isMean: boolean): Tensor {
  const size = elementCount(table.shape.slice(1));
  const values = toFloat64(table);
  const out = new Float64Array(bags.length * size);
  for (const [b, bag] of bags.entries()) {
    const rows = bag.length > 0 ? bag : otherwise < 0 ? [] : [{ row: otherwise, weight: 1 }];
    for (const { row, weight } of rows) {
      const from = positionOn(row, table.shape[0]!) * size;
      for (let i = 0; i < size; i++) out[b * size + i]! += (values[from + i]! * weight) / (isMean ? rows.length : 1);
    }
  }
  return fromFloat64(out, [bags.length, ...table.shape.slice(1)], table.type);
}

function weighted(indices: readonly number[], weights: Tensor | undefined): Bag {
  const factors = weights && toFloat64(weights);
  if (factors && factors.length !== indices.length) {
    throw new LowpError('ERR_OP_INPUTS', `there are ${factors.length} weights for ${indices.length} indices`);
  }
  return indices.map((row, i) => ({ row, weight: factors?.[i] ?? 1 }));
}

function offsetBags(inputs: readonly (Tensor | undefined)[], isMean: boolean): Tensor[] {
  const [table, indices, offsets, otherwise, weights] = inputs;
  const rows = weighted(toIntegers(indices!), weights);
  const begins = toIntegers(offsets!);
  const wrong = begins.find((b, i) => b < (begins[i - 1] ?? 0) || b > rows.length);
  if (wrong !== undefined) throw new LowpError('ERR_OP_INPUTS', `the offset ${wrong} is out of order or range`);
  const bags = begins.map((begin, i) => rows.slice(begin, begins[i + 1] ?? rows.length));
  return [sumBags(table!, bags, otherwise ? toIntegers(otherwise)[0]! : -1, isMean)];
}

function packedBags([table, indices, weights]: readonly (Tensor | undefined)[], isMean: boolean): Tensor[] {
  const [count, size] = indices!.shape as [number, number];
  const rows = weighted(toIntegers(indices!), weights);
  const bags = Array.from({ length: count }, (_, b) => rows.slice(b * size, (b + 1) * size));
  return [sumBags(table!, bags, -1, isMean)];
}

const reduced = z.object({ reduction: enumeration(['sum', 'mean']).default('sum') });

type Reduced = z.infer<typeof reduced>;

/** Where the operations have their inputs besides table and indices. */
interface Ports {
  readonly bags?: number;
  readonly otherwise?: number;
  readonly weights: number;
  /** The bags are those of the single indices. */
  readonly byMember?: true;
}

/** The row of empty bags, -1 for zeros; undefined when it is computed. */
function otherwiseOf(node: Node, port: number | undefined): number | undefined {
  const source = port === undefined ? undefined : node.source(port);
  return source ? knownIntegers(source.fact)?.[0] : -1;
}

/** Emits the kernel of all of them. */
function lowering(p: Ports, isMean: (node: Node) => boolean) {
  return {
    lower: (_: unknown, node: Node, context: LowerContext) => {
      const [table, out] = [node.source(0)!.fact.shape, node.output.fact.shape];
      const optional = (port: number | undefined, as: 'elements' | 'float') =>
        port !== undefined && node.source(port) ? context[as](node, port, 'plain') : undefined;
      const params = {
        ...{ rows: table[0]!, width: elementCount(table.slice(1)), bags: out[0]! },
        ...{ members: elementCount(node.source(1)!.fact.shape), byMember: p.byMember ? 1 : 0 },
        ...{ mean: isMean(node) ? 1 : 0, defaultIndex: Math.max(-1, otherwiseOf(node, p.otherwise)!) },
      };
      const indices = context.elements(node, 1, 'plain');
      const inputs = [optional(p.bags, 'elements'), optional(p.weights, 'float')];
      context.builder.call('embedding_bag', params, {
        name: node.name,
        in: [context.float(node, 0, 'plain'), indices, ...inputs],
        out: [context.placeFloat(node.output, 'plain').buffer],
      });
    },
    canLower: (_: unknown, node: Node) => {
      const otherwise = otherwiseOf(node, p.otherwise);
      const [indices, bags] = [node.source(1)!.fact, p.bags === undefined ? undefined : node.source(p.bags)!.fact];
      return (
        otherwise !== undefined && otherwise < node.source(0)!.fact.shape[0]! && (!bags || bags.type === indices.type)
      );
    },
    runtime: {
      ...{ bytes: 'never' as const, epilogue: 'none' as const },
      types: {
        inputs: Array.from({ length: 6 }, (_, i) =>
          i === 1 || i === p.bags || i === p.otherwise || (p.byMember && i === 3) ? indexTypes : floats,
        ),
        outputs: [floats],
      },
    },
  };
}

const floats: readonly ElementType[] = ['f32'];

const isSum = (): boolean => false;

const isMeanOf = (node: Node): boolean => node.attributes.reduction === 'mean';

const offsetPorts: Ports = { bags: 2, otherwise: 3, weights: 4 };

const packedPorts: Ports = { weights: 2 };

const offsets = {
  inputs: [3, 5] as [number, number],
  infer: (_: unknown, inputs: Facts) => inferBags(inputs, inputFact(inputs, 2).shape[0] ?? -1),
};
const packed = {
  inputs: [2, 3] as [number, number],
  infer: (_: unknown, inputs: Facts) => {
    requireRank(inputFact(inputs, 1).shape, 2, 2, 'the indices');
    return inferBags(inputs, inputFact(inputs, 1).shape[0]!);
  },
};

/** Inputs: table, indices, the offset in the indices where each bag begins, row of empty bags, weights of the indices. */
const offsetsSum = defineOp({
  ...offsets,
  type: 'EmbeddingBagOffsetsSum',
  opset: 'opset3',
  attributes: noAttributes,
  evaluate: (_, present, all) => offsetBags(all ?? present, false),
  ...lowering(offsetPorts, isSum),
});

const offsetsAny = defineOp<Reduced>({
  ...offsets,
  type: 'EmbeddingBagOffsets',
  opset: 'opset15',
  attributes: reduced,
  evaluate: (a, present, all) => offsetBags(all ?? present, a.reduction === 'mean'),
  ...lowering(offsetPorts, isMeanOf),
});

/** Inputs: table, indices `[bags, n]`, weights of the indices. */
const packedSum = defineOp({
  ...packed,
  type: 'EmbeddingBagPackedSum',
  opset: 'opset3',
  attributes: noAttributes,
  evaluate: (_, present, all) => packedBags(all ?? present, false),
  ...lowering(packedPorts, isSum),
});

const packedAny = defineOp<Reduced>({
  ...packed,
  type: 'EmbeddingBagPacked',
  opset: 'opset15',
  attributes: reduced,
  evaluate: (a, present, all) => packedBags(all ?? present, a.reduction === 'mean'),
  ...lowering(packedPorts, isMeanOf),
});

/** Inputs: table, indices, the bag of each index in ascending order, number of bags, row of empty bags, weights. */
const segmentsSum = defineOp({
  type: 'EmbeddingSegmentsSum',
  opset: 'opset3',
  attributes: noAttributes,
  inputs: [4, 6],
  infer: (_, inputs) => inferBags(inputs, knownIntegers(inputs[3])?.[0] ?? -1),
  evaluate: (_, present, all) => {
    const [table, indices, segments, count, otherwise, weights] = all ?? present;
    const rows = weighted(toIntegers(indices!), weights);
    const bags = Array.from({ length: toIntegers(count!)[0]! }, (): Bag[number][] => []);
    const bagOf = toIntegers(segments!);
    if (bagOf.length !== rows.length) {
      throw new LowpError('ERR_OP_INPUTS', `there are ${bagOf.length} segments for ${rows.length} indices`);
    }
    for (const [i, bag] of bagOf.entries()) bags[positionOn(bag, bags.length)]!.push(rows[i]!);
    return [sumBags(table!, bags, otherwise ? toIntegers(otherwise)[0]! : -1, false)];
  },
  ...lowering({ bags: 2, otherwise: 4, weights: 5, byMember: true }, isSum),
});

export const embeddingBags = [offsetsSum, offsetsAny, packedSum, packedAny, segmentsSum];
