// Resizing by averaging the source area under each target pixel, as OpenCV's INTER_AREA does when shrinking.

/** Weights of the source positions under one target position; they sum to 1. */
function coverage(target: number, ratio: number, size: number): { first: number; weights: number[] } {
  const start = target * ratio;
  const end = Math.min(size, start + ratio);
  const first = Math.floor(start);
  const weights: number[] = [];
  for (let i = first; i < end; i++) weights.push((Math.min(end, i + 1) - Math.max(start, i)) / (end - start));
  return { first, weights };
}

/**
 * Interleaved bytes at another size; each result is the rounded mean of the area it covers.
 *
 * @param pixels  height · width · channels values
 */
export function resizeArea(
  pixels: Uint8Array,
  size: { readonly width: number; readonly height: number; readonly channels: number },
  width: number,
  height: number,
): Uint8Array {
  const { channels } = size;
  const columns = Array.from({ length: width }, (_, x) => coverage(x, size.width / width, size.width));
  const out = new Uint8Array(width * height * channels);
  for (let y = 0; y < height; y++) {
    const rows = coverage(y, size.height / height, size.height);
    for (let x = 0; x < width; x++) {
      const column = columns[x]!;
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (const [j, wy] of rows.weights.entries()) {
          const row = (rows.first + j) * size.width;
          for (const [i, wx] of column.weights.entries())
            sum += wy * wx * pixels[(row + column.first + i) * channels + c]!;
        }
        out[(y * width + x) * channels + c] = Math.round(sum);
      }
    }
  }
  return out;
}
