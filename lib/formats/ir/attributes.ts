// Attributes of operations as the text of an IR, and what remains of a layer that the operation does not know.
import { invariant } from '../../errors/assert.ts';
import type { OpDef } from '../../ops/define-op.ts';

type Attributes = Readonly<Record<string, unknown>>;
type Texts = Readonly<Record<string, string>>;

/** Every attribute under its IR name; undefined ones are left out. */
export function printAttributes(definition: OpDef, attributes: Attributes): Texts {
  const custom = definition.ir?.write?.(attributes);
  if (custom) return custom;
  const texts: Record<string, string> = {};
  for (const [name, value] of Object.entries(attributes)) if (value !== undefined) texts[name] = printValue(value);
  return texts;
}

/** The attributes of a read layer that would not be written back by {@link printAttributes}. */
export function unknownAttributes(definition: OpDef, attributes: Attributes, read: Texts): Texts | undefined {
  const known = printAttributes(definition, attributes);
  const entries = Object.entries(read).filter(([name]) => !Object.hasOwn(known, name));
  return entries.length > 0 ? Object.fromEntries(entries) : undefined;
}

function printValue(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return printNumber(value);
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  invariant(Array.isArray(value), `an attribute of the kind ${typeof value} needs its own ir.write`);
  return value.map(printValue).join(',');
}

function printNumber(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  return Object.is(value, -0) ? '-0' : String(value);
}
