// Comparisons of two operands: Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual; results are boolean.
import * as z from 'zod';
import { autoBroadcast } from '../attribute.ts';
import type { OpDef } from '../define-op.ts';
import { defineBinary } from './binary.ts';

const attributes = z.object({ auto_broadcast: autoBroadcast });

const relations: Readonly<Record<string, (x: number, y: number) => boolean>> = {
  Equal: (x, y) => x === y,
  NotEqual: (x, y) => x !== y,
  Less: (x, y) => x < y,
  LessEqual: (x, y) => x <= y,
  Greater: (x, y) => x > y,
  GreaterEqual: (x, y) => x >= y,
};

const strings: ReadonlySet<string> = new Set(['Equal', 'NotEqual']);

export const comparison: readonly OpDef[] = Object.entries(relations).map(([type, relation]) =>
  defineBinary({
    type,
    attributes,
    ...(strings.has(type) ? { strings: true } : {}),
    output: 'boolean',
    function: () => (x, y) => (relation(x, y) ? 1 : 0),
    quantization: { quantizedPorts: 'all' },
  }),
);
