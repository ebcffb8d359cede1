// Bins of floats by sign, exponent and three bits of mantissa: eight for each octave, whatever the range of the numbers.

/** Number of bins: the upper 12 bits of an f32. */
export const floatBins = 4096;
const shift = 20;

const float = new Float32Array(1);
const bitsOfFloat = new Uint32Array(float.buffer);

/** The bin of a number. */
export function floatBin(value: number): number {
  float[0] = value;
  return bitsOfFloat[0]! >>> shift;
}

/**
 * Least and greatest number of a bin of finite numbers; zero for numbers below the least normal one, undefined for NaN and
 * infinity.
 */
export function floatBinEdges(bin: number): readonly [number, number] | undefined {
  const magnitude = bin & (floatBins / 2 - 1);
  const exponent = magnitude >> 3;
  if (exponent === 255) return undefined;
  if (exponent === 0) return [0, 0];
  const step = 2 ** (exponent - 127 - 3);
  const near = (8 + (magnitude & 7)) * step;
  return bin === magnitude ? [near, near + step] : [-near - step, -near];
}
