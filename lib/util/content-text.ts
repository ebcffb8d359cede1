// Text to compare content by.
import { createHash } from 'node:crypto';

/**
 * JSON that is the same for the same content. Binary data stands there as its SHA-256, so that the text is short however
 * large tensors are; whole numbers, and numbers that JSON does not hold, are written out.
 */
export function contentText(value: unknown): string {
  return JSON.stringify(value, function (this: Readonly<Record<string, unknown>>, key: string, plain: unknown) {
    // A Buffer comes here as the list of its bytes.
    const own = this[key];
    if (ArrayBuffer.isView(own)) {
      const bytes = new Uint8Array(own.buffer, own.byteOffset, own.byteLength);
      return `${own.constructor.name} ${createHash('sha256').update(bytes).digest('hex')}`;
    }
    if (typeof own === 'bigint') return `${own}n`;
    if (typeof own === 'number' && (!Number.isFinite(own) || Object.is(own, -0)))
      return Object.is(own, -0) ? '-0' : String(own);
    return plain;
  });
}
