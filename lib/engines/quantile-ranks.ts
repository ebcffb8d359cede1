// Where a quantile lies among ordered elements, and its value between the two neighbours.

/** Linear interpolation between the elements of ranks `below` and `below + 1`, `share` of the way. */
export interface QuantilePosition {
  readonly below: number;
  readonly share: number;
}

/** Position `share · (count − 1)` among `count` elements in ascending order, ranks from 0. */
export function quantilePosition(count: number, share: number): QuantilePosition {
  const position = share * Math.max(0, count - 1);
  const below = Math.floor(position);
  return { below, share: position - below };
}

/** `low + (high − low) · share`, computed in doubles. */
export function interpolate(low: number, high: number, share: number): number {
  return low + (high - low) * share;
}
