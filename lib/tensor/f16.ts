// Floats of 16 bits.
const floatView = new Float32Array(1);
const bitsView = new Uint32Array(floatView.buffer);

/** IEEE binary16 bits → number, exact, subnormals included. */
export function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Number → IEEE binary16 bits, rounded to nearest even; from 65520 on it becomes infinity. */
export function toHalf(value: number): number {
  floatView[0] = value;
  const bits = bitsView[0]!;
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude >= 0x38800000) return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
  const scaled = Math.abs(floatView[0]!) * 2 ** 24;
  const floor = Math.floor(scaled);
  const rest = scaled - floor;
  return sign | (rest > 0.5 || (rest === 0.5 && floor & 1) ? floor + 1 : floor);
}

/** bfloat16 bits → number, exact. */
export function fromBfloat16(bits: number): number {
  bitsView[0] = bits << 16;
  return floatView[0]!;
}

/** Number → bfloat16 bits, rounded to nearest even. */
export function toBfloat16(value: number): number {
  floatView[0] = value;
  const bits = bitsView[0]!;
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 0x40;
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}
