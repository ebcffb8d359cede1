/** Reads the regular files of a .tar.gz: POSIX ustar with prefix, GNU long names, pax paths. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

export function readTarGz(file: string): Map<string, Buffer> {
  const bytes = gunzipSync(readFileSync(file));
  const files = new Map<string, Buffer>();
  let longName: string | undefined;
  for (let at = 0; at + 512 <= bytes.length; ) {
    const text = (from: number, length: number) =>
      bytes
        .subarray(at + from, at + from + length)
        .toString('utf8')
        .replace(/\0.*$/s, '');
    const name = text(0, 100);
    if (name === '') break;
    const size = Number.parseInt(text(124, 12), 8);
    const type = text(156, 1);
    const prefix = text(257, 6).startsWith('ustar') ? text(345, 155) : '';
    const data = bytes.subarray(at + 512, at + 512 + size);
    at += 512 + Math.ceil(size / 512) * 512;
    if (type === 'L') longName = data.toString('utf8').replace(/\0.*$/s, '');
    else if (type === 'x') longName = /\d+ path=(.*)\n/.exec(data.toString('utf8'))?.[1];
    else {
      if (type === '0' || type === '') files.set(longName ?? (prefix ? `${prefix}/${name}` : name), data);
      longName = undefined;
    }
  }
  return files;
}
