// Splits the input channels of a convolution that have the largest weights into two with halves of them.

/** Weights `[O, I, …]` with some more input channels. */
export interface SplitWeights {
  readonly values: Float64Array;
  readonly inputs: number;
  /** For each appended channel the input channel that it repeats. */
  readonly sources: readonly number[];
}

/**
 * `count` times: the input channel with the largest magnitude m is repeated at the end. Weights of it above m / 2 are
 * halved in both, the others stay in the first and are 0 in the second. With repeated inputs the products are the same.
 *
 * @param values  weights of `outputs · inputs · taps` elements
 */
export function splitChannels(
  values: Float64Array,
  outputs: number,
  inputs: number,
  taps: number,
  count: number,
): SplitWeights {
  const total = inputs + count;
  const wide = new Float64Array(outputs * total * taps);
  for (let o = 0; o < outputs; o++) {
    wide.set(values.subarray(o * inputs * taps, (o + 1) * inputs * taps), o * total * taps);
  }
  const rows = (channel: number): number[] => Array.from({ length: outputs }, (_, o) => (o * total + channel) * taps);
  const largest = (channel: number): number =>
    rows(channel).reduce((most, at) => {
      for (let k = at; k < at + taps; k++) most = Math.max(most, Math.abs(wide[k]!));
      return most;
    }, 0);
  const sizes = Array.from({ length: inputs }, (_, c) => largest(c));
  const sources: number[] = [];
  for (let n = 0; n < count; n++) {
    const from = sizes.indexOf(sizes.reduce((a, b) => Math.max(a, b)));
    const to = inputs + n;
    const threshold = sizes[from]! / 2;
    for (const at of rows(from)) {
      for (let k = at; k < at + taps; k++) {
        if (Math.abs(wide[k]!) <= threshold) continue;
        wide[k]! /= 2;
        wide[k + (to - from) * taps] = wide[k]!;
      }
    }
    sources.push(from < inputs ? from : sources[from - inputs]!);
    sizes[from] = largest(from);
    sizes.push(largest(to));
  }
  return { values: wide, inputs: total, sources };
}
