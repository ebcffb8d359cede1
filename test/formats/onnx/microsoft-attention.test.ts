// Attention of ONNX Runtime in the forms that quantized and generative models have.
import { type Tensor, tensor } from '../../../lib/tensor/tensor.ts';
import { bytes, floats, type OperatorCase, one, scale, testAgreement, zero } from '../../support/microsoft.ts';

const quantized = { x: bytes('u8', [2, 5, 8], 1), w: bytes('i8', [8, 24], 2), b: floats([24], 3, 0.2) };
const scales = { xs: scale(0.01), ws: scale(0.004) };
const zeros = { xz: zero('u8', 120), wz: zero('i8', 0) };
const ends = (...values: number[]): Tensor => tensor('i32', [values.length], values);
const total = (value: number): Tensor => tensor('i32', [], [value]);

/** Queries, keys and values of four heads over two, of size 16. */
function grouped(batch: number, sequence: number, past: number) {
  return {
    q: floats([batch, sequence, 64], 1),
    k: floats([batch, sequence, 32], 2),
    v: floats([batch, sequence, 32], 3),
    pk: past > 0 ? floats([batch, 2, past, 16], 4) : undefined,
    pv: past > 0 ? floats([batch, 2, past, 16], 5) : undefined,
    last: tensor('i32', [batch], new Array<number>(batch).fill(past + sequence - 1)),
    total: total(past + sequence),
  };
}

const tables = { cos: floats([16, 8], 6), sin: floats([16, 8], 7) };
const heads = { num_heads: 4n, kv_num_heads: 2n };
const outputs = ['y', 'keys', 'values'];

function groupQuery(name: string, inputs: Parameters<typeof one>[1], attributes: Parameters<typeof one>[2] = {}) {
  const c = one('GroupQueryAttention', inputs, { ...heads, ...attributes }, { outputs });
  return { ...c, name: `GroupQueryAttention, ${name}` };
}

const cases: readonly OperatorCase[] = [
  one('QAttention', { ...quantized, ...scales, mask: ends(3, 5), ...zeros }, { num_heads: 2n }),
  one('QAttention', { ...quantized, ...scales, mask: undefined, ...zeros }, { num_heads: 2n, unidirectional: 1n }),
  one(
    'QAttention',
    { ...quantized, ...scales, mask: undefined, ...zeros, past: floats([2, 2, 2, 3, 4], 9) },
    { num_heads: 2n, unidirectional: 1n },
    { outputs: ['y', 'present'] },
  ),
  one(
    'QAttention',
    { ...quantized, xs: scale(0.01), ws: floats([24], 5, 0.002), mask: undefined, xz: zero('u8', 7), wz: undefined },
    { num_heads: 2n },
  ),
  groupQuery('a prompt', grouped(2, 5, 0)),
  groupQuery('a step of one sequence', grouped(1, 1, 4)),
  groupQuery('a step of two sequences', grouped(2, 1, 4)),
  groupQuery('a prompt with angles', { ...grouped(2, 5, 0), ...tables }, { do_rotary: 1n }),
  groupQuery('a step with angles', { ...grouped(1, 1, 4), ...tables }, { do_rotary: 1n, rotary_interleaved: 1n }),
  groupQuery('a window', grouped(1, 6, 0), { local_window_size: 3n }),
  groupQuery('a step with a window', grouped(1, 1, 7), { local_window_size: 3n }),
  groupQuery('a cap and a scale', grouped(1, 5, 0), { softcap: 2, scale: 0.5 }),
  groupQuery('no causality', grouped(1, 5, 0), { causal: 0n }),
  groupQuery('a smooth softmax', grouped(1, 5, 0), { smooth_softmax: 1n }),
  groupQuery('sinks and a bias', {
    ...grouped(1, 5, 0),
    cos: undefined,
    sin: undefined,
    places: undefined,
    bias: floats([1, 4, 5, 5], 8),
    sink: floats([4], 9),
  }),
  groupQuery('one tensor', { ...grouped(1, 5, 0), q: floats([1, 5, 128], 1), k: undefined, v: undefined }),
  one('RotaryEmbedding', { x: floats([2, 3, 32], 1), at: tensor('i64', [1], [2]), ...tables }, {}),
];

testAgreement(cases);
