// Windows as kernels take them: three or two spatial axes, of which those that are missing have one element.
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

/** Sizes and steps of a window over a volume, by the names of kernel params. */
export interface VolumeGeometry extends PlaneGeometry {
  readonly inD: number;
  readonly outD: number;
  readonly kernelD: number;
  readonly strideD: number;
  readonly dilationD: number;
  readonly padFront: number;
}

/** A window over one or two spatial axes. */
export function planeGeometry(window: Window): PlaneGeometry {
  const [, inH, inW] = spatialAxes(window.input, 1);
  const [, outH, outW] = spatialAxes(window.output, 1);
  const [, kernelH, kernelW] = spatialAxes(window.kernel, 1);
  const [, strideH, strideW] = spatialAxes(window.strides, 1);
  const [, dilationH, dilationW] = spatialAxes(window.dilations, 1);
  const [, padTop, padLeft] = spatialAxes(window.padsBegin, 0);
  return { inH, inW, outH, outW, kernelH, kernelW, strideH, strideW, dilationH, dilationW, padTop, padLeft };
}

/** A window over one to three spatial axes. */
export function volumeGeometry(window: Window): VolumeGeometry {
  const [inD] = spatialAxes(window.input, 1);
  const [outD] = spatialAxes(window.output, 1);
  const [kernelD] = spatialAxes(window.kernel, 1);
  const [strideD] = spatialAxes(window.strides, 1);
  const [dilationD] = spatialAxes(window.dilations, 1);
  const [padFront] = spatialAxes(window.padsBegin, 0);
  return { ...planeGeometry(window), inD, outD, kernelD, strideD, dilationD, padFront };
}

/** One entry per axis as entries for depth, height and width; the outer ones that are missing are `fill`. */
export function spatialAxes(values: readonly number[], fill: number): [number, number, number] {
  const padded = [fill, fill, ...values].slice(-3);
  return [padded[0]!, padded[1]!, padded[2]!];
}

/** Kernels take one to three spatial axes, and padding that adds elements. */
export function fitsKernels(window: Window): boolean {
  const { input, padsBegin, padsEnd } = window;
  return input.length >= 1 && input.length <= 3 && [...padsBegin, ...padsEnd].every((p) => p >= 0);
}
