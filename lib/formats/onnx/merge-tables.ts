/** One table of many, each of one family of operators. */
import { invariant } from '../../errors/assert.ts';

/** All entries; a name that stands in two tables is a mistake of the one who wrote them. */
export function mergeTables<T>(tables: readonly Readonly<Record<string, T>>[]): ReadonlyMap<string, T> {
  const all = new Map<string, T>();
  for (const [name, entry] of tables.flatMap((table) => Object.entries(table))) {
    invariant(!all.has(name), `${name} stands in two tables`);
    all.set(name, entry);
  }
  return all;
}
