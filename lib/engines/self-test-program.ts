// The program of the self-test: a path of bytes from an image to a matrix product, and a convolution on floats.
import { ProgramBuilder } from '../program/builder.ts';
import type { BufferId, Program } from '../program/program.ts';
import { random } from '../util/random.ts';

/** Elements of the only input, a 16×16 image of 24 channels. */
export const selfTestElements = 16 * 16 * 24;

const geometry = {
  ...{ batch: 1, inH: 16, inW: 16, outH: 16, outW: 16 },
  ...{ strideH: 1, strideW: 1, dilationH: 1, dilationW: 1, kernelH: 3, kernelW: 3, padTop: 1, padLeft: 1 },
};
/** The axis that a volume has and an image has not. */
const flat = { inD: 1, outD: 1, kernelD: 1, strideD: 1, dilationD: 1 };
const open = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };

/**
 * 16×16×24 floats → bytes → 3×3 convolution to 40 channels → depthwise 3×3 → 2×2 maximum → matrix product with 37
 * outputs; and a float 3×3 convolution to 19 channels. Weights are random and reach both ends of their range.
 */
export function selfTestProgram(): Program {
  const builder = new ProgramBuilder();
  const r = random(3);
  const bytes = (n: number): BufferId =>
    builder.constant(
      'i8',
      Int8Array.from({ length: n }, () => r.int(-127, 128)),
    );
  const floats = (n: number, scale: number): BufferId =>
    builder.constant(
      'f32',
      Float32Array.from({ length: n }, () => r.normal() * scale),
    );
  const x = builder.input('x', 'f32', [1, 16, 16, 24]);
  const q = builder.temporary('u8', selfTestElements);
  builder.call(
    'quantize',
    { batch: 1, channels: 24, spatial: 256, outStride: 24, padValue: 128 },
    {
      name: 'quantize',
      in: [x, builder.constant('f32', Float32Array.of(31.75)), builder.constant('f32', Float32Array.of(128))],
      out: [q],
    },
  );
  const c1 = builder.temporary('u8', 16 * 16 * 40);
  builder.call(
    'convolution',
    { ...geometry, ...flat, ...open, inC: 24, inStride: 24, outC: 40, outStride: 40, groups: 1, inZeroPoint: 128 },
    { name: 'convolution', in: [q, bytes(40 * 24 * 9), floats(40, 5), floats(40, 0.0005)], out: [c1] },
  );
  const c2 = builder.temporary('u8', 16 * 16 * 40);
  builder.call(
    'depthwise',
    { ...geometry, ...open, inC: 40, inStride: 40, outC: 40, outStride: 40, groups: 40, inZeroPoint: 3 },
    { name: 'depthwise', in: [c1, bytes(40 * 9), floats(40, 20), floats(40, 0.002)], out: [c2] },
  );
  const pooled = maximum(builder, c2);
  builder.call(
    'matmul',
    { ...open, m: 1, k: 2560, n: 37, weightsTransposed: 1, inStride: 2560, outStride: 37 },
    {
      name: 'matmul',
      in: [pooled, bytes(37 * 2560), floats(37, 1), floats(37, 0.001)],
      out: [builder.output('product', 'f32', [1, 37])],
    },
  );
  builder.call(
    'convolution',
    { ...geometry, ...flat, low: 0, high: 6, inC: 24, inStride: 24, outC: 19, outStride: 19, groups: 1 },
    {
      name: 'float convolution',
      in: [x, floats(19 * 24 * 9, 0.1), floats(19, 1)],
      out: [builder.output('image', 'f32', [1, 16, 16, 19])],
    },
  );
  return builder.finish();
}

/** 2×2 maximum over 16×16×40 bytes. */
function maximum(builder: ProgramBuilder, x: BufferId): BufferId {
  const y = builder.temporary('u8', 8 * 8 * 40);
  builder.call(
    'pool',
    {
      ...flat,
      ...{ batch: 1, inH: 16, inW: 16, outH: 8, outW: 8, channels: 40, inStride: 40, outStride: 40 },
      ...{ kernelH: 2, kernelW: 2, strideH: 2, strideW: 2, dilationH: 1, dilationW: 1, scale: 1 },
    },
    { name: 'pool', in: [x], out: [y] },
  );
  return y;
}
