// Windows as kernels take them: two spatial axes, of which the first has one element when there is only one.
import type { Window } from './window.ts';

/** Sizes and steps of a window over a plane, by the names of kernel params. */
export interface PlaneGeometry {
  readonly inH: number;
  readonly inW: number;
  readonly outH: number;
  readonly outW: number;
  readonly kernelH: number;
  readonly kernelW: number;
  readonly strideH: number;
  readonly strideW: number;
  readonly dilationH: number;
  readonly dilationW: number;
  readonly padTop: number;
  readonly padLeft: number;
}

/** A window over one or two spatial axes. */
export function planeGeometry(window: Window): PlaneGeometry {
  const [inH, inW] = onPlane(window.input, 1);
  const [outH, outW] = onPlane(window.output, 1);
  const [kernelH, kernelW] = onPlane(window.kernel, 1);
  const [strideH, strideW] = onPlane(window.strides, 1);
  const [dilationH, dilationW] = onPlane(window.dilations, 1);
  const [padTop, padLeft] = onPlane(window.padsBegin, 0);
  return { inH, inW, outH, outW, kernelH, kernelW, strideH, strideW, dilationH, dilationW, padTop, padLeft };
}

/** One entry per axis as entries for height and width; a missing height is `fill`. */
export function onPlane(values: readonly number[], fill: number): [number, number] {
  return values.length === 1 ? [fill, values[0]!] : [values[0]!, values[1]!];
}

/** Kernels take images of one or two spatial axes, and padding that adds elements. */
export function fitsPlane(window: Window): boolean {
  const { input, padsBegin, padsEnd } = window;
  return (input.length === 1 || input.length === 2) && [...padsBegin, ...padsEnd].every((p) => p >= 0);
}
