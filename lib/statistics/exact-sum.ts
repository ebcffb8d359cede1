// Sums of floats without rounding: the same total in whatever order, and however the numbers are grouped.

/** Digits in base 2^16, the lowest in units of 2^-149; one more than floats need takes what is carried out of them. */
const digits = 17;
const digitBits = 16;
const base = 2 ** digitBits;
/** One number adds less than 2^39 to a digit, so 2^13 of them stay below 2^53. */
const addsBeforeCarry = 2 ** 13;
const none: Float64Array = new Float64Array();
/** What makes a number whose lowest bit lies in digit j a whole number of that digit's units. */
const scales = Float64Array.from({ length: digits }, (_, j) => 2 ** (149 - digitBits * j));

/**
 * One exact sum for each channel: `Σ digit_j · 2^(16 j − 149)`, digits in [−2^15, 2^15) after a carry, which makes them
 * unique. A digit that is zero in every channel takes no memory: means of activations need two or three.
 */
export class ExactSums {
  readonly channels: number;
  private readonly digits: (Float64Array | undefined)[] = new Array(digits).fill(undefined);
  private adds = 0;

  constructor(channels: number) {
    this.channels = channels;
  }

  /** Adds one finite number to each sum. */
  add(values: Float32Array): void {
    const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
    let known = -1;
    let digit = none;
    let scale = 0;
    for (let c = 0; c < values.length; c++) {
      const exponent = (bits[c]! >>> 23) & 255;
      if (bits[c]! << 1 === 0) continue;
      const j = (exponent > 0 ? exponent - 1 : 0) >>> 4;
      if (j !== known) {
        known = j;
        digit = this.digit(j);
        scale = scales[j]!;
      }
      digit[c]! += values[c]! * scale;
    }
    this.adds++;
    if (this.adds >= addsBeforeCarry) this.carry();
  }

  /** Adds the sums that were carried and taken apart by {@link parts}. */
  addParts(parts: readonly (readonly [number, Float64Array])[]): void {
    this.carry();
    for (const [j, values] of parts) {
      const digit = this.digit(j);
      for (let c = 0; c < values.length; c++) digit[c]! += values[c]!;
    }
    this.carry();
  }

  /** Positions and values of the digits that are not zero everywhere. Equal sums have equal parts. */
  parts(): (readonly [number, Float64Array])[] {
    this.carry();
    return this.digits.flatMap((digit, j) => (digit?.some((v) => v !== 0) ? [[j, digit] as const] : []));
  }

  /** The sums divided by `count`, rounded to f32. */
  means(count: number): Float32Array {
    const parts = this.parts();
    return Float32Array.from({ length: this.channels }, (_, c) => {
      let sum = 0n;
      for (const [j, digit] of parts) sum += BigInt(digit[c]!) << BigInt(digitBits * j);
      return (Number(sum) * 2 ** -149) / count;
    });
  }

  private digit(j: number): Float64Array {
    let digit = this.digits[j];
    if (!digit) {
      digit = new Float64Array(this.channels);
      this.digits[j] = digit;
    }
    return digit;
  }

  private carry(): void {
    for (let j = 0; j + 1 < digits; j++) {
      const digit = this.digits[j];
      if (!digit) continue;
      for (let c = 0; c < digit.length; c++) {
        const carried = Math.floor((digit[c]! + base / 2) / base);
        if (carried === 0) continue;
        digit[c]! -= carried * base;
        this.digit(j + 1)[c]! += carried;
      }
    }
    this.adds = 0;
  }
}
