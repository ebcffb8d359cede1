// The positions that a slice selects on one axis.

/** A slice of one axis: bounds as given, absent for "from the first" and "through the last" in the step's direction. */
export interface Slice {
  readonly begin?: number;
  readonly end?: number;
  readonly step: number;
}

/** Positions of one axis: `count` of them, `step` apart from `first`. */
export interface Progression {
  readonly first: number;
  readonly step: number;
  readonly count: number;
}

/** All positions of an axis. */
export function wholeAxis(size: number): Progression {
  return { first: 0, step: 1, count: size };
}

/** Positions `begin, begin + step, …` before `end`; negative bounds count from the end, all are clamped to the axis. */
export function slicePositions(size: number, s: Slice): Progression {
  const [lowest, highest] = s.step > 0 ? [0, size] : [-1, size - 1];
  const bound = (value: number | undefined, fallback: number): number => {
    if (value === undefined) return fallback;
    return Math.min(highest, Math.max(lowest, value < 0 ? value + size : value));
  };
  const begin = bound(s.begin, s.step > 0 ? 0 : size - 1);
  const end = bound(s.end, s.step > 0 ? size : -1);
  return { first: begin, step: s.step, count: Math.max(0, Math.ceil((end - begin) / s.step)) };
}

/** The positions one by one. */
export function listed({ first, step, count }: Progression): number[] {
  return Array.from({ length: count }, (_, i) => first + i * step);
}
