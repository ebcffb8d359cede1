// What a file is by its first bytes: models that can be read, and what people give by mistake.

/** Formats by content; `foreign` says what else it looks like. */
export type Sniffed =
  | { readonly kind: 'ir' }
  | { readonly kind: 'onnx' }
  | { readonly kind: 'foreign'; readonly what: string; readonly help?: string }
  | { readonly kind: 'unknown' };

interface Signature {
  readonly at?: number;
  readonly bytes: string;
  readonly what: string;
  readonly help?: string;
}

const exportHelp = 'Export the model to ONNX first.';

/** First bytes in Latin-1. */
const signatures: readonly Signature[] = [
  { bytes: '\x89PNG\r\n', what: 'a PNG image' },
  { bytes: '\xff\xd8\xff', what: 'a JPEG image' },
  { bytes: 'GIF8', what: 'a GIF image' },
  { bytes: '%PDF', what: 'a PDF document' },
  {
    bytes: 'version https://git-lfs',
    what: 'a Git LFS pointer, not the file itself',
    help: 'Fetch the content with: git lfs pull',
  },
  { bytes: 'PK\x03\x04', what: 'a zip archive (PyTorch, Keras or a packed model)', help: `Unpack it. ${exportHelp}` },
  { bytes: '\x1f\x8b', what: 'a gzip archive', help: 'Unpack it.' },
  { bytes: '\x89HDF\r\n', what: 'an HDF5 file (Keras)', help: exportHelp },
  { bytes: '\x80\x02', what: 'a Python pickle (PyTorch)', help: exportHelp },
  { bytes: '\x80\x04', what: 'a Python pickle', help: exportHelp },
  { at: 4, bytes: 'TFL3', what: 'a TensorFlow Lite model', help: exportHelp },
  { at: 4, bytes: 'ORTM', what: 'an ONNX Runtime (.ort) model', help: 'Give the .onnx file it was made from.' },
  { bytes: '\x7fELF', what: 'a program for Linux' },
  { bytes: 'MZ', what: 'a program for Windows' },
  { bytes: '\x93NUMPY', what: 'a NumPy array' },
];

/** Judges by content alone; `bytes` is not empty. */
export function sniff(bytes: Uint8Array): Sniffed {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 512)).toString('latin1');
  for (const { at = 0, bytes: mark, what, help } of signatures) {
    if (head.startsWith(mark, at)) return { kind: 'foreign', what, ...(help === undefined ? {} : { help }) };
  }
  const text = head.replace(/^\xef\xbb\xbf/, '').trimStart();
  if (/^<(!doctype html|html)/i.test(text)) {
    return {
      kind: 'foreign',
      what: 'an HTML page',
      help: 'The download brought an error or login page instead of the file.',
    };
  }
  if (text.startsWith('<') || /^(\xff\xfe<|\xfe\xff\0<)/.test(head)) return { kind: 'ir' };
  if (/^[{[]/.test(text)) return { kind: 'foreign', what: 'a JSON document' };
  if (looksLikeOnnx(bytes)) return { kind: 'onnx' };
  return { kind: 'unknown' };
}

/** A ModelProto usually starts with field 1, `ir_version`, a small number. */
function looksLikeOnnx(bytes: Uint8Array): boolean {
  return bytes.length > 2 && bytes[0] === 0x08 && bytes[1]! > 0 && bytes[1]! < 64;
}
