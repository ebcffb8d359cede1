// Resizes a tensor along some axes: nearest, linear or cubic.
import { fromFloat64, toFloat64 } from '../../tensor/convert.ts';
import { isFloat } from '../../tensor/element-type.ts';
import type { Shape } from '../../tensor/shape.ts';
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

/** What a node does: the axes that change and the rule; `pads` when zeros are put around the input first. */
export interface Resizing {
  readonly axes: ReadonlyMap<number, ResizedAxis>;
  readonly rule: ResizeRule;
  readonly pads: boolean;
}

/** The inputs and weights of each output position of an axis; an axis that does not change has its own positions. */
export function axisNeighbours(
  rule: ResizeRule,
  axes: ReadonlyMap<number, ResizedAxis>,
  at: number,
  shape: Shape,
): Neighbours[] {
  const axis = axes.get(at);
  if (!axis) return sequence(shape[at]!).map(onlyPosition);
  const shrinks = rule.antialias && [...axes.values()].some(({ scale }) => scale < 1);
  return coordinatesOf(rule, axis).map((c) => {
    if (rule.mode === 'nearest') return onlyPosition(nearestPosition(rule.nearest, c, axis));
    if (rule.mode === 'cubic') return cubicNeighbours(c, axis, rule.cubeCoefficient);
    return rule.mode === 'linear' ? triangleNeighbours(c, axis, shrinks) : linearNeighbours(c, axis);
  });
}

const onlyPosition = (position: number): Neighbours => ({ positions: [position], weights: [1] });

/** Resizes the axes that `axes` lists, after zero padding; whole types are rounded to nearest, ties to even. */
export function resize(x: Tensor, axes: ReadonlyMap<number, ResizedAxis>, rule: ResizeRule): Tensor {
  if (rule.mode === 'nearest') {
    const neighbours = x.shape.map((_, i) => axisNeighbours(rule, axes, i, x.shape));
    return takeByAxes(
      x,
      neighbours.map((list) => list.map((n) => n.positions[0]!)),
    );
  }
  const shape = [...x.shape];
  let data = toFloat64(x);
  for (const [i, axis] of axes) {
    data = resampleAxis(data, shape, i, axisNeighbours(rule, axes, i, shape));
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
