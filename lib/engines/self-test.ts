// Checks on this machine that every instruction set gives the bits of the scalar kernels.
import { cpuInfo } from '../native/cpu-info.ts';
import { compileProgram } from '../native/executable.ts';
import { ProgramBuilder } from '../program/builder.ts';
import type { BufferId, Program } from '../program/program.ts';
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

const geometry = { batch: 1, inH: 16, inW: 16, outH: 16, outW: 16, strideH: 1, strideW: 1, dilationH: 1, dilationW: 1 };
const window3x3 = { kernelH: 3, kernelW: 3, padTop: 1, padLeft: 1 };
const open = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };

/** Builds the test program; constants come from one seeded stream. */
class TestProgram {
  readonly builder = new ProgramBuilder();
  private readonly random = random(3);

  /** Signed bytes over the whole range. */
  bytes(count: number): BufferId {
    return this.builder.constant(
      'i8',
      Int8Array.from({ length: count }, () => this.random.int(-127, 128)),
    );
  }

  floats(count: number, scale: number): BufferId {
    return this.builder.constant(
      'f32',
      Float32Array.from({ length: count }, () => this.random.normal() * scale),
    );
  }

  quantize(x: BufferId): BufferId {
    const q = this.builder.temporary('u8', 256 * 24);
    const inverse = this.builder.constant('f32', Float32Array.of(31.75));
    const shift = this.builder.constant('f32', Float32Array.of(128));
    const params = { batch: 1, channels: 24, spatial: 256, outStride: 24, padValue: 128 };
    this.builder.call('quantize', params, { name: 'quantize', in: [x, inverse, shift], out: [q] });
    return q;
  }

  convolution(x: BufferId): BufferId {
    const y = this.builder.temporary('u8', 256 * 40);
    const params = {
      ...geometry,
      ...window3x3,
      ...open,
      inC: 24,
      inStride: 24,
      outC: 40,
      outStride: 40,
      groups: 1,
      inZeroPoint: 128,
    };
    const inputs = [x, this.bytes(40 * 24 * 9), this.floats(40, 5), this.floats(40, 0.0005)];
    this.builder.call('convolution', params, { name: 'convolution', in: inputs, out: [y] });
    return y;
  }

  depthwise(x: BufferId): BufferId {
    const y = this.builder.temporary('u8', 256 * 40);
    const params = {
      ...geometry,
      ...window3x3,
      ...open,
      inC: 40,
      inStride: 40,
      outC: 40,
      outStride: 40,
      groups: 40,
      inZeroPoint: 3,
    };
    const inputs = [x, this.bytes(40 * 9), this.floats(40, 20), this.floats(40, 0.002)];
    this.builder.call('depthwise', params, { name: 'depthwise', in: inputs, out: [y] });
    return y;
  }

  pool(x: BufferId): BufferId {
    const y = this.builder.temporary('u8', 64 * 40);
    const halves = { outH: 8, outW: 8, kernelH: 2, kernelW: 2, strideH: 2, strideW: 2 };
    const params = { ...geometry, ...halves, channels: 40, inStride: 40, outStride: 40, scale: 1 };
    this.builder.call('pool', params, { name: 'pool', in: [x], out: [y] });
    return y;
  }

  product(x: BufferId): void {
    const y = this.builder.output('product', 'f32', [1, 37]);
    const params = { ...open, m: 1, k: 2560, n: 37, weightsTransposed: 1, inStride: 2560, outStride: 37 };
    const inputs = [x, this.bytes(37 * 2560), this.floats(37, 1), this.floats(37, 0.001)];
    this.builder.call('matmul', params, { name: 'matmul', in: inputs, out: [y] });
  }

  floatConvolution(x: BufferId): void {
    const y = this.builder.output('image', 'f32', [1, 16, 16, 19]);
    const params = {
      ...geometry,
      ...window3x3,
      low: 0,
      high: 6,
      inC: 24,
      inStride: 24,
      outC: 19,
      outStride: 19,
      groups: 1,
    };
    const inputs = [x, this.floats(19 * 24 * 9, 0.1), this.floats(19, 1)];
    this.builder.call('convolution', params, { name: 'float convolution', in: inputs, out: [y] });
  }
}

/** 16×16×24 floats → bytes → 3×3 convolution → depthwise → pool → matrix product; and one float convolution. */
function testProgram(): Program {
  const p = new TestProgram();
  const x = p.builder.input('x', 'f32', [1, 16, 16, 24]);
  p.product(p.pool(p.depthwise(p.convolution(p.quantize(x)))));
  p.floatConvolution(x);
  return p.builder.finish();
}
