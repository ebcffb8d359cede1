// Programs whose bytes were damaged: compile() refuses them with a code or they run; they never crash the process.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compileNative } from '../../lib/engines/native-engine.ts';
import type { NativePort, NativeProgram } from '../../lib/native/addon.ts';
import { addon } from '../../lib/native/binding.ts';
import type { Program } from '../../lib/program/program.ts';
import { type SerializedProgram, serialize } from '../../lib/program/serialize.ts';
import { allocate, type TensorData } from '../../lib/tensor/element-type.ts';
import { elementCount } from '../../lib/tensor/shape.ts';
import { random } from '../../lib/util/random.ts';
import { buildNetwork, networkPlans } from '../support/random-network.ts';

const seed = Number(process.env.LOWP_FUZZ_SEED ?? 20);
const networks = Number(process.env.LOWP_FUZZ_NETWORKS ?? 12);
const mutations = Number(process.env.LOWP_FUZZ_MUTATIONS ?? 250);
const mostBytes = 32 << 20;
const codes = ['invalid', 'unsupported', 'memory'];

/** The native programs of random networks, with and without quantizers. */
async function programs(): Promise<Program[]> {
  const found: Program[] = [];
  for (const [i, plan] of fc.sample(networkPlans(10), { seed, numRuns: networks }).entries()) {
    const executable = await compileNative(buildNetwork(plan, { quantizers: i % 2 === 0 }), { threads: 1 });
    for (const step of executable.steps) if (step.kind === 'native') found.push(step.lower().program);
    await executable.close();
  }
  return found;
}

const interesting = [0, 1, 2, 3, 4, 15, 16, 17, 255, 256, 0x7f800000, 0x7fc00000, 0x7fffffff, 0x80000000, 0xffffffff];

/** The bytes with one to three words changed: to a special value, by a little, or to another word of the program. */
function damaged(bytes: Uint8Array, r: ReturnType<typeof random>): Uint8Array {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  const words = copy.length / 4;
  for (let i = r.int(1, 4); i > 0; i--) {
    const at = r.int(2, words) * 4;
    const kind = r.int(0, 3);
    if (kind === 0) view.setUint32(at, interesting[r.int(0, interesting.length)]!, true);
    else if (kind === 1) view.setUint32(at, (view.getUint32(at, true) + r.int(-3, 4)) >>> 0, true);
    else view.setUint32(at, view.getUint32(r.int(0, words) * 4, true), true);
  }
  return copy;
}

function arrays(ports: readonly NativePort[]): TensorData[] {
  return ports.map(({ type, shape }) => allocate(type, elementCount(shape)));
}

/** Compiles and runs once; the code of the error, or "ran". */
function attempt(bytes: Uint8Array, constants: readonly Uint8Array[]): string {
  let program: NativeProgram;
  try {
    program = addon().compile(bytes, constants, { threads: 2 });
  } catch (error) {
    assert.ok(error instanceof Error && 'code' in error && typeof error.code === 'string', String(error));
    assert.ok(codes.includes(error.code), `${error.code}: ${error.message}`);
    return error.code;
  }
  const info = program.info();
  const operations = info.calls.reduce((sum, call) => sum + call.operations, 0);
  if (info.arenaBytes > mostBytes || operations > 1e9) return 'too large';
  const session = program.createSession({ threads: 2 });
  session.runSync(arrays(info.inputs), arrays(info.outputs));
  session.dispose();
  program.dispose();
  return 'ran';
}

test(`damaged programs are refused or run, never crash (seed ${seed})`, async () => {
  const r = random(seed);
  const outcomes = new Map<string, number>();
  for (const program of await programs()) {
    const { bytes, constants }: SerializedProgram = serialize(program);
    assert.equal(attempt(bytes, constants), 'ran', 'the program itself runs');
    for (let i = 0; i < mutations; i++) {
      const outcome = attempt(damaged(bytes, r), constants);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
  }
  assert.ok((outcomes.get('invalid') ?? 0) > 0, 'some damage is found');
  assert.ok((outcomes.get('ran') ?? 0) > 0, 'some damage does no harm');
});
