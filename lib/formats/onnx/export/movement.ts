/** Operations that move elements without computing. */
import { toIntegers } from '../../../tensor/convert.ts';
import { onnxTypeOf } from '../data-types.ts';
import { bigints, type ExporterTable, type ExportNode } from './export-node.ts';

export const movementExporters: ExporterTable = {
  Reshape: reshape,
  Squeeze: (e) => e.finish('Squeeze', e.node.source(1) ? [e.input(0), e.int64(1, 'axes')] : [e.input(0)]),
  Unsqueeze: (e) => e.finish('Unsqueeze', [e.input(0), e.int64(1, 'axes')]),
  Transpose: transpose,
  Concat: (e) => e.finish('Concat', e.inputs(), { axis: BigInt(e.number('axis')) }),
  Split: (e) => e.finish('Split', [e.input(0)], { axis: BigInt(e.knownAxis(1)) }),
  VariadicSplit: variadicSplit,
  Gather: gather,
  ShapeOf: shapeOf,
  Broadcast: broadcast,
  Tile: tile,
  Range: range,
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth,
};

function reshape(e: ExportNode): void {
  const target = e.known(1);
  const literalZero = !e.flag('special_zero') && (!target || toIntegers(target).includes(0));
  e.finish('Reshape', [e.input(0), e.int64(1, 'shape')], literalZero ? { allowzero: 1n } : {});
}

function transpose(e: ExportNode): void {
  const order = e.node.source(1) ? e.knownInts(1, 'order') : [];
  e.finish('Transpose', [e.input(0)], order.length === 0 ? {} : { perm: bigints(order) });
}

/** One length may be -1: the rest. */
function variadicSplit(e: ExportNode): void {
  const axis = e.knownAxis(1);
  const lengths = e.node.outputs.map((port) => port.fact.shape[axis]!);
  if (lengths.some((l) => l < 0)) e.unsupported('parts of dynamic size');
  e.finish('Split', [e.input(0), e.int64s(lengths, 'lengths')], { axis: BigInt(axis) });
}

function gather(e: ExportNode): void {
  if ((e.node.attributes.batch_dims ?? 0) !== 0) e.unsupported('batch_dims other than 0');
  e.finish('Gather', [e.input(0), e.indices(1, 'indices')], { axis: BigInt(e.knownAxis(2)) });
}

function shapeOf(e: ExportNode): void {
  const { type } = e.node.output.fact;
  if (type === 'i64') {
    e.finish('Shape', [e.input(0)]);
    return;
  }
  e.finish('Cast', [e.step('Shape', [e.input(0)], 'Shape')], { to: BigInt(onnxTypeOf(type)) });
}

function broadcast(e: ExportNode): void {
  const mode = e.text('mode');
  if (mode !== 'numpy' && mode !== 'bidirectional') e.unsupported(`mode '${mode}'`);
  e.finish('Expand', [e.input(0), e.int64(1, 'shape')]);
}

/** ONNX wants one repeat per axis of the data. */
function tile(e: ExportNode): void {
  const rank = e.shape(0).length;
  const count = e.shape(1)[0] ?? 1;
  if (count === rank) {
    e.finish('Tile', [e.input(0), e.int64(1, 'repeats')]);
    return;
  }
  if (count > rank) {
    const axes = e.int64s(
      Array.from({ length: count - rank }, (_, i) => i),
      'axes',
    );
    e.finish('Tile', [e.step('Unsqueeze', [e.input(0), axes], 'aligned'), e.int64(1, 'repeats')]);
    return;
  }
  const values = e.knownInts(1, 'repeats');
  const repeats = [...new Array<number>(rank - values.length).fill(1), ...values];
  e.finish('Tile', [e.input(0), e.int64s(repeats, 'repeats')]);
}

function range(e: ExportNode): void {
  const { type } = e.node.output.fact;
  const limits = [0, 1, 2].map((i) => {
    const scalar = e.shape(i).length === 0 ? e.input(i) : e.step('Squeeze', [e.input(i)], `limit.${i}`);
    return e.cast(scalar, e.type(i), type, `limit.${i}.${type}`);
  });
  e.finish('Range', limits);
}

function depthToSpace(e: ExportNode): void {
  const mode = e.text('mode') === 'depth_first' ? 'CRD' : 'DCR';
  e.finish('DepthToSpace', [e.input(0)], { blocksize: BigInt(e.number('block_size')), mode });
}

function spaceToDepth(e: ExportNode): void {
  if (e.text('mode') === 'depth_first') e.unsupported("mode 'depth_first'");
  e.finish('SpaceToDepth', [e.input(0)], { blocksize: BigInt(e.number('block_size')) });
}
