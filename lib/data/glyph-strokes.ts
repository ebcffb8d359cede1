/** The shapes of the demo's glyphs: polylines in the unit square, x to the right, y downwards. */

/** One stroke: `x, y, x, y, …` in [0, 1]. */
export type Stroke = readonly number[];

/** Points on an ellipse around (cx, cy); angles in quarter turns, clockwise from the right. */
function arc(cx: number, cy: number, rx: number, ry: number, from: number, to: number): number[] {
  const steps = Math.max(3, Math.ceil(Math.abs(to - from) * 4));
  const points: number[] = [];
  for (let i = 0; i <= steps; i++) {
    const angle = ((from + ((to - from) * i) / steps) * Math.PI) / 2;
    points.push(cx + rx * Math.cos(angle), cy + ry * Math.sin(angle));
  }
  return points;
}

/** Class names and their strokes, in the order of the labels. */
export const glyphStrokes: readonly (readonly [name: string, strokes: readonly Stroke[]])[] = [
  ['0', [arc(0.5, 0.5, 0.32, 0.46, 0, 4)]],
  ['1', [[0.3, 0.22, 0.54, 0.04, 0.54, 0.96]]],
  ['2', [[...arc(0.5, 0.3, 0.3, 0.26, -2, 0.5), 0.2, 0.95, 0.82, 0.95]]],
  ['3', [arc(0.46, 0.28, 0.3, 0.24, -1.8, 1), arc(0.46, 0.73, 0.34, 0.23, -1, 1.8)]],
  ['4', [[0.68, 0.96, 0.68, 0.05, 0.16, 0.68, 0.86, 0.68]]],
  ['5', [[0.78, 0.06, 0.28, 0.06, 0.24, 0.46, ...arc(0.46, 0.68, 0.32, 0.26, -1, 1.7)]]],
  ['6', [[0.68, 0.05, 0.34, 0.36, ...arc(0.5, 0.7, 0.29, 0.26, 2.2, 6.2)]]],
  ['7', [[0.18, 0.06, 0.82, 0.06, 0.42, 0.96]]],
  ['8', [arc(0.5, 0.28, 0.25, 0.22, 0, 4), arc(0.5, 0.73, 0.31, 0.23, 0, 4)]],
  ['9', [[...arc(0.5, 0.3, 0.29, 0.25, 0.2, 4), 0.76, 0.56, 0.5, 0.96]]],
  [
    'A',
    [
      [0.12, 0.96, 0.5, 0.04, 0.88, 0.96],
      [0.27, 0.63, 0.73, 0.63],
    ],
  ],
  [
    'E',
    [
      [0.82, 0.05, 0.22, 0.05, 0.22, 0.95, 0.82, 0.95],
      [0.22, 0.5, 0.7, 0.5],
    ],
  ],
  [
    'F',
    [
      [0.82, 0.05, 0.22, 0.05, 0.22, 0.96],
      [0.22, 0.5, 0.7, 0.5],
    ],
  ],
  [
    'H',
    [
      [0.18, 0.04, 0.18, 0.96],
      [0.82, 0.04, 0.82, 0.96],
      [0.18, 0.5, 0.82, 0.5],
    ],
  ],
  [
    'K',
    [
      [0.2, 0.04, 0.2, 0.96],
      [0.8, 0.05, 0.2, 0.56],
      [0.4, 0.4, 0.84, 0.96],
    ],
  ],
  ['L', [[0.24, 0.04, 0.24, 0.95, 0.82, 0.95]]],
  ['N', [[0.18, 0.96, 0.18, 0.05, 0.82, 0.95, 0.82, 0.04]]],
  [
    'T',
    [
      [0.1, 0.06, 0.9, 0.06],
      [0.5, 0.06, 0.5, 0.96],
    ],
  ],
  [
    'X',
    [
      [0.14, 0.05, 0.86, 0.95],
      [0.86, 0.05, 0.14, 0.95],
    ],
  ],
  ['Z', [[0.16, 0.06, 0.84, 0.06, 0.16, 0.94, 0.86, 0.94]]],
];
