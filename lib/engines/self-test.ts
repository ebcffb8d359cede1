// Checks on this machine that every instruction set gives the bits of the scalar kernels.
import { cpuInfo } from '../native/cpu-info.ts';
import { compileProgram } from '../native/executable.ts';
import { ProgramBuilder } from '../program/builder.ts';
import type { Program } from '../program/program.ts';
import { random } from '../util/random.ts';

const levels = ['scalar', 'avx2', 'avx512', 'vnni'] as const;

export interface SelfTestLevel {
  readonly isa: string;
  readonly ok: boolean;
  /** What differs first. */
  readonly detail?: string;
}

export interface SelfTest {
  readonly ok: boolean;
  readonly levels: readonly SelfTestLevel[];
}

/** Runs a small program of byte and float convolutions, pooling and a matrix product on every level of this CPU. */
export async function kernelSelfTest(threads = 2): Promise<SelfTest> {
  const program = testProgram();
  const r = random(7);
  const input = Float32Array.from({ length: 16 * 16 * 24 }, () => r.normal());
  const highest = levels.indexOf(cpuInfo().isa);
  const outputs: Float32Array[][] = [];
  for (const isa of levels.slice(0, highest + 1)) {
    const executable = compileProgram(program, { maxIsa: isa, threads });
    try {
      outputs.push((await executable.run([input])) as Float32Array[]);
    } finally {
      await executable.close();
    }
  }
  const results = outputs.map((list, i): SelfTestLevel => {
    const detail = firstDifference(outputs[0]!, list);
    return { isa: levels[i]!, ok: detail === undefined, ...(detail === undefined ? {} : { detail }) };
  });
  return { ok: results.every((l) => l.ok), levels: results };
}

function firstDifference(expected: readonly Float32Array[], found: readonly Float32Array[]): string | undefined {
  for (const [k, list] of expected.entries()) {
    for (let i = 0; i < list.length; i++) {
      if (!Object.is(list[i], found[k]![i])) return `output ${k}, element ${i}: ${found[k]![i]} instead of ${list[i]}`;
    }
  }
  return undefined;
}

/** 16×16×24 floats → bytes → 3×3 convolution → depthwise → pool → matrix product; and one float convolution. */
function testProgram(): Program {
  const builder = new ProgramBuilder();
  const r = random(3);
  const bytes = (n: number): Int8Array => Int8Array.from({ length: n }, () => r.int(-127, 128));
  const floats = (n: number, scale: number): Float32Array => Float32Array.from({ length: n }, () => r.normal() * scale);
  const x = builder.input('x', 'f32', [1, 16, 16, 24]);
  const q = builder.temporary('u8', 16 * 16 * 24);
  builder.call(
    'quantize',
    { batch: 1, channels: 24, spatial: 256, layout: 0, outStride: 24, padValue: 128 },
    {
      name: 'quantize',
      in: [x, builder.constant('f32', Float32Array.of(31.75)), builder.constant('f32', Float32Array.of(128))],
      out: [q],
    },
  );
  const geometry = {
    batch: 1,
    inH: 16,
    inW: 16,
    outH: 16,
    outW: 16,
    strideH: 1,
    strideW: 1,
    dilationH: 1,
    dilationW: 1,
  };
  const window = { kernelH: 3, kernelW: 3, padTop: 1, padLeft: 1 };
  const open = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
  const c1 = builder.temporary('u8', 16 * 16 * 40);
  builder.call(
    'convolution',
    { ...geometry, ...window, ...open, inC: 24, inStride: 24, outC: 40, outStride: 40, groups: 1, inZeroPoint: 128 },
    {
      name: 'convolution',
      in: [
        q,
        builder.constant('i8', bytes(40 * 24 * 9)),
        builder.constant('f32', floats(40, 5)),
        builder.constant('f32', floats(40, 0.0005)),
      ],
      out: [c1],
    },
  );
  const c2 = builder.temporary('u8', 16 * 16 * 40);
  builder.call(
    'depthwise',
    { ...geometry, ...window, ...open, inC: 40, inStride: 40, outC: 40, outStride: 40, groups: 40, inZeroPoint: 3 },
    {
      name: 'depthwise',
      in: [
        c1,
        builder.constant('i8', bytes(40 * 9)),
        builder.constant('f32', floats(40, 20)),
        builder.constant('f32', floats(40, 0.002)),
      ],
      out: [c2],
    },
  );
  const pooled = builder.temporary('u8', 8 * 8 * 40);
  builder.call(
    'pool',
    {
      batch: 1,
      inH: 16,
      inW: 16,
      channels: 40,
      inStride: 40,
      outH: 8,
      outW: 8,
      outStride: 40,
      kernelH: 2,
      kernelW: 2,
      strideH: 2,
      strideW: 2,
      dilationH: 1,
      dilationW: 1,
      scale: 1,
    },
    { name: 'pool', in: [c2], out: [pooled] },
  );
  const product = builder.output('product', 'f32', [1, 37]);
  builder.call(
    'matmul',
    { ...open, m: 1, k: 2560, n: 37, weightsTransposed: 1, inStride: 2560, outStride: 37, inZeroPoint: 0 },
    {
      name: 'matmul',
      in: [
        pooled,
        builder.constant('i8', bytes(37 * 2560)),
        builder.constant('f32', floats(37, 1)),
        builder.constant('f32', floats(37, 0.001)),
      ],
      out: [product],
    },
  );
  const image = builder.output('image', 'f32', [1, 16, 16, 19]);
  builder.call(
    'convolution',
    { ...geometry, ...window, low: 0, high: 6, inC: 24, inStride: 24, outC: 19, outStride: 19, groups: 1 },
    {
      name: 'float convolution',
      in: [x, builder.constant('f32', floats(19 * 24 * 9, 0.1)), builder.constant('f32', floats(19, 1))],
      out: [image],
    },
  );
  return builder.finish();
}
