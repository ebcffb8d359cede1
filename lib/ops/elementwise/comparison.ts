// Comparisons of two operands: Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual; results are boolean.
import * as z from 'zod';
import { autoBroadcast } from '../attribute.ts';
import type { OpDef } from '../define-op.ts';
import { defineBinary } from './binary.ts';
import type { Relation } from './emit-binary.ts';
import { nativeRelation } from './lower-binary.ts';

const attributes = z.object({ auto_broadcast: autoBroadcast });

/** The relation, and its name in the kernel. */
const relations: Readonly<Record<string, readonly [Relation, (x: number, y: number) => boolean]>> = {
  Equal: ['equal', (x, y) => x === y],
  NotEqual: ['notEqual', (x, y) => x !== y],
  Less: ['less', (x, y) => x < y],
  LessEqual: ['lessEqual', (x, y) => x <= y],
  Greater: ['greater', (x, y) => x > y],
  GreaterEqual: ['greaterEqual', (x, y) => x >= y],
};

const strings: ReadonlySet<string> = new Set(['Equal', 'NotEqual']);

export const comparison: readonly OpDef[] = Object.entries(relations).map(([type, [kernel, relation]]) =>
  defineBinary({
    type,
    attributes,
    ...(strings.has(type) ? { strings: true } : {}),
    lowering: nativeRelation(kernel),
    output: 'boolean',
    function: () => (x, y) => (relation(x, y) ? 1 : 0),
    quantization: { quantizedPorts: 'all' },
  }),
);
