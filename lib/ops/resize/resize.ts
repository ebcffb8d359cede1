// Resizes a tensor along some axes: nearest, linear or cubic.
import { fromFloat64, toFloat64 } from '../../tensor/convert.ts';
import { isFloat } from '../../tensor/element-type.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { sequence, takeByAxes } from '../movement/take.ts';
import { roundHalfToEven } from '../rounding.ts';
import {
  type CoordinateMode,
  type NearestMode,
  nearestPosition,
  type ResizedAxis,
  sourceCoordinate,
} from './coordinates.ts';
import { cubicNeighbours, linearNeighbours, type Neighbours, resampleAxis, triangleNeighbours } from './resample.ts';

/** How outputs are formed from inputs. */
export interface ResizeRule {
  readonly mode: 'nearest' | 'linear' | 'linear_onnx' | 'cubic';
  readonly coordinates: CoordinateMode;
  readonly nearest: NearestMode;
  readonly antialias: boolean;
  readonly cubeCoefficient: number;
}

/** Output positions of one axis, seen from the input. */
function coordinatesOf(rule: ResizeRule, axis: ResizedAxis): number[] {
  return sequence(axis.to).map((x) => sourceCoordinate(rule.coordinates, x, axis));
}

/** Resizes the axes that `axes` lists, after zero padding; whole types are rounded to nearest, ties to even. */
export function resize(x: Tensor, axes: ReadonlyMap<number, ResizedAxis>, rule: ResizeRule): Tensor {
  if (rule.mode === 'nearest') {
    const positions = x.shape.map((d, i) => {
      const axis = axes.get(i);
      return axis ? coordinatesOf(rule, axis).map((c) => nearestPosition(rule.nearest, c, axis)) : sequence(d);
    });
    return takeByAxes(x, positions);
  }
  const shrinks = rule.antialias && [...axes.values()].some((axis) => axis.scale < 1);
  const neighboursOf = (c: number, axis: ResizedAxis): Neighbours => {
    if (rule.mode === 'cubic') return cubicNeighbours(c, axis, rule.cubeCoefficient);
    return rule.mode === 'linear' ? triangleNeighbours(c, axis, shrinks) : linearNeighbours(c, axis);
  };
  const shape = [...x.shape];
  let data = toFloat64(x);
  for (const [i, axis] of axes) {
    data = resampleAxis(
      data,
      shape,
      i,
      coordinatesOf(rule, axis).map((c) => neighboursOf(c, axis)),
    );
    shape[i] = axis.to;
  }
  if (!isFloat(x.type)) data = data.map(roundHalfToEven);
  return fromFloat64(data, shape, x.type);
}

/** Adds zeros around each axis. */
export function padWithZeros(x: Tensor, begin: readonly number[], end: readonly number[]): Tensor {
  if ([...begin, ...end].every((p) => p === 0)) return x;
  return takeByAxes(
    x,
    x.shape.map((d, i) => [...sequence(begin[i] ?? 0).fill(-1), ...sequence(d), ...sequence(end[i] ?? 0).fill(-1)]),
  );
}
