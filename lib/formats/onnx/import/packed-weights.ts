/** Operators of ONNX Runtime (`com.microsoft`) on weights of 2, 4 or 8 bits with scales for blocks of elements. */
import type { OutputPort } from '../../../graph/node.ts';
import { toFloat64 } from '../../../tensor/convert.ts';
import type { ElementType } from '../../../tensor/element-type.ts';
import { packedTensor } from '../../../tensor/lazy.ts';
import { elementCount, isStatic, normalizeAxis } from '../../../tensor/shape.ts';
import { type Tensor, tensor } from '../../../tensor/tensor.ts';
import type { ImporterTable, ImportNode } from './import-node.ts';
import { inDomain } from './in-domain.ts';

export const packedWeightImporters: ImporterTable = inDomain('com.microsoft', {
  MatMulNBits: matMulNBits,
  GatherBlockQuantized: gatherBlockQuantized,
});

const packedTypes: Readonly<Record<number, ElementType>> = { 2: 'u2', 4: 'u4', 8: 'u8' };

function positive(n: ImportNode, name: string): number {
  const value = n.attributes.int(name) ?? n.attributes.fail(name, 'is missing');
  return value > 0 ? value : n.attributes.fail(name, `is ${value}, expected a positive number`);
}

function bitsOf(n: ImportNode): number {
  const bits = n.attributes.int('bits') ?? 4;
  if (!packedTypes[bits]) n.unsupported(`weights of ${bits} bits; lowp reads 2, 4 and 8`);
  return bits;
}

/** Numbers of `bits` bits in each row of bytes, the lowest bits first: the first `count` of every row. */
function unpackedRows(packed: Tensor, rows: number, count: number, bits: number): Float64Array {
  const data = packed.data as Uint8Array;
  const stride = data.length / rows;
  return Float64Array.from({ length: rows * count }, (_, i) => {
    const [row, column] = [Math.floor(i / count), i % count];
    const at = column * bits;
    return (data[row * stride + (at >> 3)]! >> (at & 7)) & (2 ** bits - 1);
  });
}

/**
 * `A · Wᵀ + bias`, `w = (q − zero) · scale`, with one scale and zero point for each block of a row of W. The weights stay
 * as they are packed; a row whose last block is not full is cut.
 *
 * Inputs: A, W `[N, blocks, bytes of a block]`, scales `[N, blocks]`, optional zero points (packed, or numbers `[N,
 * blocks]`), order of the blocks, bias.
 */
function matMulNBits(n: ImportNode): OutputPort[] {
  const [inner, columns, size] = [positive(n, 'K'), positive(n, 'N'), positive(n, 'block_size')];
  const bits = bitsOf(n);
  if ((n.attributes.int('weight_prepacked') ?? 0) !== 0) n.unsupported('weights that are packed for one device');
  const blocks = Math.ceil(inner / size);
  const stored = n.known(1, 'weights') ?? n.input(1).fact.value!;
  const bytes = columns * blocks * ((size * bits) / 8);
  if (stored.type !== 'u8' || stored.data.length !== bytes) {
    n.invalid(`its weights are ${stored.data.length} elements of ${stored.type}, expected ${bytes} bytes`);
  }
  const grouped = packedTensor(stored, packedTypes[bits]!, [columns, blocks, size]);
  const wide = n.add('Convert', { destination_type: 'f32' }, [n.constant(grouped, 'weights')], {
    suffix: 'Convert',
    fold: false,
  });
  const centred = n.step('Subtract', [wide, zeroPoints(n, { columns, blocks, bits })], {}, { fold: false });
  const scales = n.reshaped(n.input(2), [columns, blocks, 1], 'scales');
  const scaled = n.step('Multiply', [centred, scales], {}, { fold: false });
  const rows = n.reshaped(scaled, [columns, blocks * size], 'rows');
  const whole = blocks * size === inner ? rows : firstOf(n, rows, inner);
  refuseOrder(n, inner, size);
  const product = n.step('MatMul', [n.input(0), whole], { transpose_a: false, transpose_b: true });
  const bias = n.optional(5);
  return [bias ? n.step('Add', [product, bias]) : product];
}

function firstOf(n: ImportNode, rows: OutputPort, count: number): OutputPort {
  return n.step('Slice', [rows, ...[[0], [count], [1], [1]].map((list) => n.indices(list, 'cut'))]);
}

interface Blocks {
  readonly columns: number;
  readonly blocks: number;
  readonly bits: number;
}

/** As f32, `[columns, blocks, 1]`; without any the middle of the range, as a scalar. */
function zeroPoints(n: ImportNode, { columns, blocks, bits }: Blocks): OutputPort {
  const given = n.optional(3);
  if (!given) return n.scalar('f32', 2 ** (bits - 1), 'zero_point');
  const shape = [columns, blocks, 1];
  if (given.fact.type !== 'u8') return n.reshaped(n.converted(given, 'f32'), shape, 'zero_point');
  const packed = n.known(3, 'zero points')!;
  const expected = columns * Math.ceil((blocks * bits) / 8);
  if (packed.data.length !== expected) {
    n.invalid(`its zero points are ${packed.data.length} bytes, expected ${expected}`);
  }
  const values = Float32Array.from(unpackedRows(packed, columns, blocks, bits));
  return n.constant(tensor('f32', shape, values), 'zero_point');
}

/** The order of blocks that the deprecated `g_idx` gives must be that of the elements. */
function refuseOrder(n: ImportNode, inner: number, size: number): void {
  if (!n.optional(4)) return;
  const order = toFloat64(n.known(4, 'order of blocks')!);
  const isPlain = Array.from({ length: inner }, (_, i) => Math.floor(i / size)).every((b, i) => order[i] === b);
  if (!isPlain) n.unsupported('blocks of elements that are not neighbours (g_idx)');
}

/**
 * Rows of a table of integers, dequantized after they were chosen: `(q − zero) · scale`, with one scale and zero point
 * for each block of the last axis. Inputs: table, indices, scales, optional zero points.
 */
function gatherBlockQuantized(n: ImportNode): OutputPort[] {
  const table = n.known(0, 'table') ?? n.invalid('it has no table');
  const size = n.attributes.int('block_size') ?? 128;
  const isPacked = table.type === 'u8';
  const bits = isPacked ? bitsOf(n) : 4;
  if (!isPacked && table.type !== 'u4' && table.type !== 'i4') n.unsupported(`a table of ${table.type}`);
  if (!isStatic(table.shape) || table.shape.length < 2) n.invalid(`its table has rank ${table.shape.length}`);
  const per = 8 / bits;
  const rank = table.shape.length;
  const row = table.shape.at(-1)! * (isPacked ? per : 1);
  const [gatherAxis, blockAxis] = [n.attributes.int('gather_axis') ?? 0, n.attributes.int('quantize_axis') ?? 1];
  if (normalizeAxis(gatherAxis, rank) !== 0 || normalizeAxis(blockAxis, rank) !== rank - 1) {
    n.unsupported(`rows along axis ${gatherAxis} with blocks along axis ${blockAxis}; lowp reads 0 and the last`);
  }
  if (row % per !== 0 || size < 1 || row % size !== 0) n.unsupported(`rows of ${row} elements in blocks of ${size}`);
  const bytes = packedTensor(table, 'u8', [...table.shape.slice(0, -1), row / per]);
  const codes = unpackedCodes(n, chosen(n, n.constant(bytes, 'table')), bits, row);
  const values = table.type === 'i4' ? signed(n, codes) : codes;
  const blocks = row / size;
  const apart = n.step(
    'Reshape',
    [values, n.indices([...values.fact.shape.slice(0, -1).map(() => 0), blocks, size], 'blocks')],
    {
      special_zero: true,
    },
  );
  const last = n.indices([-1], 'last');
  const scales = n.step('Unsqueeze', [chosen(n, n.input(2)), last]);
  const zero = gatheredZeros(n, { table, bits, blocks, isPacked });
  const centred = zero ? n.step('Subtract', [apart, zero]) : apart;
  const real = n.step('Multiply', [centred, scales]);
  const target = n.indices([...values.fact.shape.slice(0, -1).map(() => 0), row], 'row');
  return [n.step('Reshape', [real, target], { special_zero: true })];
}

/** The rows of a table that the indices name. */
function chosen(n: ImportNode, table: OutputPort): OutputPort {
  return n.step('Gather', [table, n.input(1), n.scalar('i64', 0, 'axis')], { batch_dims: 0 });
}

/** Numbers of `bits` bits out of bytes, the lowest bits first, as f32: the last axis becomes `row` elements. */
function unpackedCodes(n: ImportNode, bytes: OutputPort, bits: number, row: number): OutputPort {
  let rest = n.converted(bytes, 'f32');
  if (bits === 8) return rest;
  const parts: OutputPort[] = [];
  for (let i = 0; i < 8 / bits; i++) {
    const code = n.with('FloorMod', rest, 2 ** bits);
    parts.push(n.step('Unsqueeze', [code, n.indices([-1], 'last')]));
    rest = n.with('Multiply', n.step('Subtract', [rest, code]), 2 ** -bits);
  }
  const together = n.step('Concat', parts, { axis: bytes.fact.shape.length });
  const target = n.indices([...bytes.fact.shape.slice(0, -1).map(() => 0), row], 'codes');
  return n.step('Reshape', [together, target], { special_zero: true });
}

/** Two's complement of four bits. */
function signed(n: ImportNode, codes: OutputPort): OutputPort {
  return n.with('Subtract', n.with('FloorMod', n.with('Add', codes, 8), 16), 8);
}

interface ZeroForm {
  readonly table: Tensor;
  readonly bits: number;
  readonly blocks: number;
  readonly isPacked: boolean;
}

/** Zero points of the chosen rows; undefined where they are 0. Packed codes without any have theirs in the middle. */
function gatheredZeros(n: ImportNode, { table, bits, blocks, isPacked }: ZeroForm): OutputPort | undefined {
  const given = n.known(3, 'zero points');
  if (!given) return isPacked ? n.scalar('f32', 2 ** (bits - 1), 'zero_point') : undefined;
  const lead = table.shape.slice(0, -1);
  const rows = lead.reduce((a, b) => a * b, 1);
  const [expected, unit] = isPacked ? [rows * Math.ceil((blocks * bits) / 8), 'bytes'] : [rows * blocks, 'elements'];
  const count = elementCount(given.shape);
  if (given.type !== table.type || count !== expected) {
    n.invalid(`its zero points are ${count} elements of ${given.type}, expected ${expected} ${unit} of ${table.type}`);
  }
  const values = isPacked ? unpackedRows(given, rows, blocks, bits) : toFloat64(given);
  const zeros = n.constant(tensor('f32', [...lead, blocks], Float32Array.from(values)), 'zero_point');
  return n.step('Unsqueeze', [chosen(n, zeros), n.indices([-1], 'last')]);
}
