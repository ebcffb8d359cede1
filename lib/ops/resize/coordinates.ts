// Where an output position of a resized axis lies in the input.
import { roundHalfAwayFromZero } from '../rounding.ts';

export const coordinateModes = [
  'half_pixel',
  'pytorch_half_pixel',
  'asymmetric',
  'tf_half_pixel_for_nn',
  'align_corners',
] as const;

export type CoordinateMode = (typeof coordinateModes)[number];

export const nearestModes = ['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil', 'simple'] as const;

export type NearestMode = (typeof nearestModes)[number];

/** One axis of a resize: sizes before and after, and the ratio after/before that coordinates use. */
export interface ResizedAxis {
  readonly from: number;
  readonly to: number;
  readonly scale: number;
}

/** The input coordinate of output position `x`, in elements; it may lie outside of the input. */
export function sourceCoordinate(mode: CoordinateMode, x: number, { from, to, scale }: ResizedAxis): number {
  switch (mode) {
    case 'half_pixel':
      return (x + 0.5) / scale - 0.5;
    case 'pytorch_half_pixel':
      return to > 1 ? (x + 0.5) / scale - 0.5 : 0;
    case 'asymmetric':
      return x / scale;
    case 'tf_half_pixel_for_nn':
      return (x + 0.5) / scale;
    case 'align_corners':
      return to === 1 ? 0 : (x * (from - 1)) / (to - 1);
  }
}

/** The input position nearest to a coordinate, inside the input. */
export function nearestPosition(mode: NearestMode, coordinate: number, axis: ResizedAxis): number {
  return Math.min(axis.from - 1, Math.max(0, roundCoordinate(mode, coordinate, axis.scale)));
}

function roundCoordinate(mode: NearestMode, coordinate: number, scale: number): number {
  switch (mode) {
    case 'round_prefer_floor':
      return coordinate - Math.floor(coordinate) === 0.5 ? Math.floor(coordinate) : roundHalfAwayFromZero(coordinate);
    case 'round_prefer_ceil':
      return roundHalfAwayFromZero(coordinate);
    case 'floor':
      return Math.floor(coordinate);
    case 'ceil':
      return Math.ceil(coordinate);
    case 'simple':
      return scale < 1 ? Math.ceil(coordinate) : Math.trunc(coordinate);
  }
}
