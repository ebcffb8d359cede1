// Small spellings of the IR: tensor names, numbers, element types of ports.
import { LowpError } from '../../errors/lowp-error.ts';
import type { ElementType } from '../../tensor/element-type.ts';

/** Tensor names of a port: separated by commas, a comma inside a name is written `\,`. */
export function splitNames(text: string | undefined): string[] {
  if (!text) return [];
  const names: string[] = [];
  let name = '';
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '\\' && text[i + 1] === ',') {
      name += ',';
      i++;
    } else if (text[i] === ',') {
      names.push(name);
      name = '';
    } else name += text[i];
  }
  names.push(name);
  return [...new Set(names.filter((n) => n !== ''))];
}

/** The inverse of {@link splitNames}. */
export function joinNames(names: readonly string[]): string {
  return names.map((n) => n.replaceAll(',', '\\,')).join(',');
}

/**
 * A whole number from 0 on: decimal digits only, at most 2^53 - 1.
 *
 * @param what  names the number in the message
 * @throws {LowpError} `ERR_IR_ATTRIBUTE`
 */
export function wholeNumber(text: string | undefined, what: string): number {
  const number = text !== undefined && /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(number)) return number;
  const found = text === undefined ? 'is missing' : `= ${JSON.stringify(text.slice(0, 40))}`;
  throw new LowpError('ERR_IR_ATTRIBUTE', `${what} ${found}, expected a whole number from 0 to 2^53 - 1`);
}

/** Element type → `precision` of a port. */
export function portPrecision(type: ElementType): string {
  if (type === 'boolean') return 'BOOL';
  return type.toUpperCase().replace(/^F(?=(16|32|64)$)/, 'FP');
}
