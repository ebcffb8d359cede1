// ONNX models with bodies, their inputs and the outputs worked out by hand.
import { type Tensor, tensor } from '../../lib/tensor/tensor.ts';
import { bodyProto, node, type OnnxSpec } from './onnx.ts';

export interface BodyCase {
  readonly name: string;
  readonly spec: OnnxSpec;
  readonly runs: readonly {
    readonly feeds: Readonly<Record<string, Tensor>>;
    readonly outputs: Readonly<Record<string, Tensor>>;
  }[];
  /** Types of the operations that read bodies in the model; none when a body takes the place of its node. */
  readonly bodies: readonly string[];
}

const f32 = (shape: readonly number[], values: readonly number[]) => tensor('f32', shape, values);
const i64 = (shape: readonly number[], values: readonly number[]) => tensor('i64', shape, values);
const truth = (value: boolean) => tensor('boolean', [], [Number(value)]);
const trips = (count: number) => i64([], [count]);

const counter = { i: ['i64', []], going: ['boolean', []] } as const;
const vector = ['f32', [2]] as const;

/** Doubles or halves x, as a condition says; both branches read values of the main graph. */
const choice: BodyCase = {
  name: 'If on an input',
  spec: {
    inputs: { c: ['boolean', []], x: vector },
    initializers: { two: f32([], [2]) },
    nodes: [
      node('Mul', ['x', 'two'], ['twice']),
      node('If', ['c'], ['y', 'z'], {
        then_branch: bodyProto({
          nodes: [node('Identity', ['twice'], ['t0']), node('Add', ['x', 'twice'], ['t1'])],
          outputs: { t0: vector, t1: vector },
        }),
        else_branch: bodyProto({
          initializers: { half: f32([1], [0.5]) },
          nodes: [node('Mul', ['x', 'half'], ['e0']), node('Div', ['e0', 'two'], ['e1'])],
          outputs: { e0: vector, e1: vector },
        }),
      }),
    ],
    outputs: ['y', 'z'],
  },
  runs: [
    { feeds: { c: truth(true), x: f32([2], [1, 3]) }, outputs: { y: f32([2], [2, 6]), z: f32([2], [3, 9]) } },
    {
      feeds: { c: truth(false), x: f32([2], [1, 3]) },
      outputs: { y: f32([2], [0.5, 1.5]), z: f32([2], [0.25, 0.75]) },
    },
  ],
  bodies: ['If'],
};

/** The branch that does not run could not be read. */
const decided: BodyCase = {
  name: 'If on a constant',
  spec: {
    inputs: { x: vector },
    initializers: { c: truth(false) },
    nodes: [
      node('If', ['c'], ['y'], {
        then_branch: bodyProto({ nodes: [node('Unheard', ['x'], ['t'])], outputs: { t: vector } }),
        else_branch: bodyProto({ nodes: [node('Neg', ['x'], ['e'])], outputs: { e: vector } }),
      }),
      node('Relu', ['y'], ['z']),
    ],
    outputs: ['z'],
  },
  runs: [{ feeds: { x: f32([2], [1, -3]) }, outputs: { z: f32([2], [0, 3]) } }],
  bodies: [],
};

/** s += x · i, and all s on the way. */
const sums = bodyProto({
  inputs: { ...counter, s: vector },
  nodes: [
    node('Cast', ['i'], ['f'], { to: 1n }),
    node('Mul', ['x', 'f'], ['step']),
    node('Add', ['s', 'step'], ['next']),
    node('Identity', ['going'], ['on']),
    node('Identity', ['next'], ['seen']),
  ],
  outputs: { on: ['boolean', []], next: vector, seen: vector },
});

const counted: BodyCase = {
  name: 'Loop with a computed trip count',
  spec: {
    inputs: { m: ['i64', []], x: vector, s0: vector },
    initializers: { yes: truth(true) },
    nodes: [node('Loop', ['m', 'yes', 's0'], ['s', 'all'], { body: sums })],
    outputs: ['s', 'all'],
  },
  runs: [
    {
      feeds: { m: trips(3), x: f32([2], [1, 10]), s0: f32([2], [5, 5]) },
      outputs: { s: f32([2], [8, 35]), all: f32([3, 2], [5, 5, 6, 15, 8, 35]) },
    },
    {
      feeds: { m: trips(0), x: f32([2], [1, 10]), s0: f32([2], [5, 5]) },
      outputs: { s: f32([2], [5, 5]), all: f32([0, 2], []) },
    },
    {
      feeds: { m: trips(-2), x: f32([2], [1, 10]), s0: f32([2], [5, 5]) },
      outputs: { s: f32([2], [5, 5]), all: f32([0, 2], []) },
    },
  ],
  bodies: ['Loop'],
};

const fixed: BodyCase = {
  name: 'Loop with a constant trip count and no condition',
  spec: {
    inputs: { x: vector, s0: vector },
    initializers: { m: trips(3) },
    nodes: [node('Loop', ['m', '', 's0'], ['s', 'all'], { body: sums })],
    outputs: ['s', 'all'],
  },
  runs: [
    {
      feeds: { x: f32([2], [1, 10]), s0: f32([2], [5, 5]) },
      outputs: { s: f32([2], [8, 35]), all: f32([3, 2], [5, 5, 6, 15, 8, 35]) },
    },
  ],
  bodies: ['Loop'],
};

/** Doubles n as long as it is below a limit. */
const conditional: BodyCase = {
  name: 'Loop without a trip count, ended by its condition',
  spec: {
    inputs: { n0: ['f32', []], limit: ['f32', []] },
    nodes: [
      node('Less', ['n0', 'limit'], ['begins']),
      node('Loop', ['', 'begins', 'n0'], ['n'], {
        body: bodyProto({
          inputs: { ...counter, k: ['f32', []] },
          nodes: [node('Add', ['k', 'k'], ['next']), node('Less', ['next', 'limit'], ['on'])],
          outputs: { on: ['boolean', []], next: ['f32', []] },
        }),
      }),
    ],
    outputs: ['n'],
  },
  runs: [
    { feeds: { n0: f32([], [3]), limit: f32([], [40]) }, outputs: { n: f32([], [48]) } },
    { feeds: { n0: f32([], [3]), limit: f32([], [2]) }, outputs: { n: f32([], [3]) } },
  ],
  bodies: ['Loop'],
};

/** A list that grows by its own length in each iteration: a shape that is not the one of the first iteration. */
const growing: BodyCase = {
  name: 'Loop whose value changes its size',
  spec: {
    inputs: { m: ['i64', []], v0: ['f32', [1]] },
    initializers: { yes: truth(true) },
    nodes: [
      node('Loop', ['m', 'yes', 'v0'], ['v'], {
        body: bodyProto({
          inputs: { ...counter, v: ['f32', [-1]] },
          nodes: [
            node('Shape', ['v'], ['size']),
            node('Cast', ['size'], ['length'], { to: 1n }),
            node('Concat', ['v', 'length'], ['next'], { axis: 0n }),
            node('Identity', ['going'], ['on']),
          ],
          outputs: { on: ['boolean', []], next: ['f32', [-1]] },
        }),
      }),
    ],
    outputs: ['v'],
  },
  runs: [{ feeds: { m: trips(3), v0: f32([1], [9]) }, outputs: { v: f32([4], [9, 1, 2, 3]) } }],
  bodies: ['Loop'],
};

/** Adds x in even iterations and y in odd ones, both of the main graph. */
const nested: BodyCase = {
  name: 'If inside of a Loop',
  spec: {
    inputs: { m: ['i64', []], x: vector, y: vector },
    initializers: { yes: truth(true), zero: f32([2], [0, 0]), two: i64([], [2]), none: i64([], [0]) },
    nodes: [
      node('Loop', ['m', 'yes', 'zero'], ['s'], {
        body: bodyProto({
          inputs: { ...counter, s: vector },
          nodes: [
            node('Mod', ['i', 'two'], ['rest']),
            node('Equal', ['rest', 'none'], ['even']),
            node('If', ['even'], ['next'], {
              then_branch: bodyProto({ nodes: [node('Add', ['s', 'x'], ['a'])], outputs: { a: vector } }),
              else_branch: bodyProto({ nodes: [node('Add', ['s', 'y'], ['b'])], outputs: { b: vector } }),
            }),
            node('Identity', ['going'], ['on']),
          ],
          outputs: { on: ['boolean', []], next: vector },
        }),
      }),
    ],
    outputs: ['s'],
  },
  runs: [
    { feeds: { m: trips(3), x: f32([2], [1, 2]), y: f32([2], [10, 20]) }, outputs: { s: f32([2], [12, 24]) } },
    { feeds: { m: trips(0), x: f32([2], [1, 2]), y: f32([2], [10, 20]) }, outputs: { s: f32([2], [0, 0]) } },
  ],
  bodies: ['If', 'Loop'],
};

/** s = 2 s + a + b; a runs along axis 0 forwards, b along axis 1 backwards; results are columns, the last one first. */
const scanned: BodyCase = {
  name: 'Scan along axes in both directions',
  spec: {
    inputs: { s0: vector, a: ['f32', [3, 2]], b: ['f32', [2, 3]] },
    nodes: [
      node('Scan', ['s0', 'a', 'b'], ['s', 'columns', 'rows'], {
        num_scan_inputs: 2n,
        scan_input_axes: [0n, -1n],
        scan_input_directions: [0n, 1n],
        scan_output_axes: [1n, 0n],
        scan_output_directions: [1n, 0n],
        body: bodyProto({
          inputs: { s: vector, p: vector, q: vector },
          nodes: [
            node('Add', ['s', 's'], ['twice']),
            node('Add', ['twice', 'p'], ['sum']),
            node('Add', ['sum', 'q'], ['next']),
            node('Identity', ['next'], ['column']),
            node('Identity', ['q'], ['row']),
          ],
          outputs: { next: vector, column: vector, row: vector },
        }),
      }),
    ],
    outputs: ['s', 'columns', 'rows'],
  },
  runs: [
    {
      feeds: { s0: f32([2], [1, 0]), a: f32([3, 2], [1, 2, 3, 4, 5, 6]), b: f32([2, 3], [10, 20, 30, 40, 50, 60]) },
      outputs: {
        s: f32([2], [193, 402]),
        columns: f32([2, 3], [193, 89, 33, 402, 178, 62]),
        rows: f32([3, 2], [30, 60, 20, 50, 10, 40]),
      },
    },
  ],
  bodies: ['TensorIterator'],
};

/** Every case; each is read, written and run. */
export const bodyCases: readonly BodyCase[] = [
  choice,
  decided,
  counted,
  fixed,
  conditional,
  growing,
  nested,
  scanned,
  {
    ...scanned,
    name: 'Scan of any length',
    spec: { ...scanned.spec, inputs: { s0: vector, a: ['f32', [-1, 2]], b: ['f32', [2, -1]] } },
  },
];
