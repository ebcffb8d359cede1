// Checks on this machine that every instruction set gives the bits of the scalar kernels.
import { cpuInfo } from '../native/cpu-info.ts';
import { compileProgram } from '../native/executable.ts';
import type { TensorData } from '../tensor/element-type.ts';
import { random } from '../util/random.ts';
import { selfTestElements, selfTestProgram } from './self-test-program.ts';

/** What one instruction set gave. */
export interface SelfTestLevel {
  readonly isa: string;
  readonly ok: boolean;
  /** What differs first. */
  readonly detail?: string;
}

/** Good when every level is. */
export interface SelfTest {
  readonly ok: boolean;
  readonly levels: readonly SelfTestLevel[];
}

/**
 * Runs a small program of byte and float convolutions, pooling and a matrix product on every level of this CPU.
 *
 * @throws {LowpError} `ERR_NATIVE_MISSING` without the addon
 */
export async function kernelSelfTest(threads = 2): Promise<SelfTest> {
  const program = selfTestProgram();
  const r = random(7);
  const input = Float32Array.from({ length: selfTestElements }, () => r.normal());
  const outputs = new Map<string, readonly TensorData[]>();
  for (const isa of cpuInfo().isas) {
    await using executable = compileProgram(program, { maxIsa: isa, threads });
    outputs.set(isa, await executable.run([input]));
  }
  return compareLevels(outputs);
}

/** Compares the outputs of each level with those of the first one, bit for bit. */
export function compareLevels(outputs: ReadonlyMap<string, readonly TensorData[]>): SelfTest {
  const [expected = []] = outputs.values();
  const results = [...outputs].map(([isa, found]): SelfTestLevel => {
    const detail = firstDifference(expected, found);
    return { isa, ok: detail === undefined, ...(detail === undefined ? {} : { detail }) };
  });
  return { ok: results.every((l) => l.ok), levels: results };
}

function firstDifference(expected: readonly TensorData[], found: readonly TensorData[]): string | undefined {
  for (const [k, list] of expected.entries()) {
    for (let i = 0; i < list.length; i++) {
      const other = found[k]?.[i];
      if (!Object.is(list[i], other)) return `output ${k}, element ${i}: ${other} instead of ${list[i]}`;
    }
  }
  return undefined;
}
