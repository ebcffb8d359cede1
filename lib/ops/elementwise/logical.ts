// Logic on booleans: LogicalAnd, LogicalOr, LogicalXor, LogicalNot.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import type { ElementType } from '../../tensor/element-type.ts';
import { autoBroadcast, noAttributes } from '../attribute.ts';
import type { OpDef } from '../define-op.ts';
import { defineBinary } from './binary.ts';
import type { Relation } from './emit-binary.ts';
import { nativeRelation } from './lower-binary.ts';
import { definePointwise } from './pointwise.ts';

const attributes = z.object({ auto_broadcast: autoBroadcast });

/** Elements are 0 or 1. The name in the kernel, and the relation. */
const relations: Readonly<Record<string, readonly [Relation, (x: number, y: number) => number]>> = {
  LogicalAnd: ['and', (x, y) => x & y],
  LogicalOr: ['or', (x, y) => x | y],
  LogicalXor: ['notEqual', (x, y) => x ^ y],
};

function requireBoolean(type: ElementType): void {
  if (type !== 'boolean') throw new LowpError('ERR_TYPE_MISMATCH', `the inputs have type ${type}, expected boolean`);
}

const binary = Object.entries(relations).map(([type, [kernel, relation]]) =>
  defineBinary({
    type,
    attributes,
    lowering: nativeRelation(kernel),
    output: 'boolean',
    function: (_, element) => {
      requireBoolean(element);
      return relation;
    },
    quantization: { quantizedPorts: 'all' },
  }),
);

const not = definePointwise({
  type: 'LogicalNot',
  attributes: noAttributes,
  function: (_, element) => {
    requireBoolean(element);
    return (x) => 1 - x;
  },
  expand: (_, node, e) => [e.add('NotEqual', [node.source(0), e.constant('boolean', [], [1], 'true')], {}, 'not')],
  quantization: { quantizedPorts: 'all' },
});

export const logical: readonly OpDef[] = [...binary, not];
