/** The attributes that convolutions and pooling have in common. */
import type { ImportNode } from './import-node.ts';

const autoPads = { NOTSET: 'explicit', SAME_UPPER: 'same_upper', SAME_LOWER: 'same_lower', VALID: 'valid' } as const;

/** Sizes of a sliding window, one number per spatial axis; keys are spelled as the operations' attributes. */
export interface Window {
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly pads_begin: readonly number[];
  readonly pads_end: readonly number[];
  readonly auto_pad: (typeof autoPads)[keyof typeof autoPads];
}

/**
 * Reads strides, dilations, pads and auto_pad.
 *
 * @param spatial  number of spatial axes
 * @throws {LowpError} `ERR_OP_ATTRIBUTE` for a wrong number of elements, a stride or dilation below 1, a negative pad
 */
export function readWindow(n: ImportNode, spatial: number): Window {
  const autoPad = n.attributes.choice('auto_pad', ['NOTSET', 'SAME_UPPER', 'SAME_LOWER', 'VALID'], 'NOTSET');
  const pads = readSizes(n, 'pads', 2 * spatial, 0) ?? new Array<number>(2 * spatial).fill(0);
  if (autoPad !== 'NOTSET') pads.fill(0);
  return {
    strides: readSizes(n, 'strides', spatial, 1) ?? new Array<number>(spatial).fill(1),
    dilations: readSizes(n, 'dilations', spatial, 1) ?? new Array<number>(spatial).fill(1),
    pads_begin: pads.slice(0, spatial),
    pads_end: pads.slice(spatial),
    auto_pad: autoPads[autoPad],
  };
}

/** A list of `count` integers of at least `least` and below 2^31; undefined when absent. */
export function readSizes(n: ImportNode, name: string, count: number, least: number): number[] | undefined {
  const values = n.attributes.ints(name);
  if (!values) return undefined;
  if (values.length !== count) n.attributes.fail(name, `has ${values.length} elements, expected ${count}`);
  for (const v of values) {
    if (v < least || v >= 2 ** 31) n.attributes.fail(name, `contains ${v}, expected ${least} to 2147483647`);
  }
  return values;
}

/**
 * Number of spatial axes of input 0.
 *
 * @throws {LowpError} `ERR_ONNX_GRAPH` for a rank below 3
 */
export function spatialRank(n: ImportNode): number {
  const rank = n.rank(0);
  if (rank < 3) n.invalid(`its input has rank ${rank}, expected batch, channels and at least one spatial axis`);
  return rank - 2;
}
