/** Tables of importers of one domain other than ONNX's own. */
import type { ImporterTable } from './import-node.ts';

/** The same importers, listed as `domain::operator`. */
export function inDomain(domain: string, table: ImporterTable): ImporterTable {
  return Object.fromEntries(Object.entries(table).map(([name, importer]) => [`${domain}::${name}`, importer]));
}
