/** Operations that choose, order and count elements by indices. */
import { bigints, type ExporterTable, type ExportNode } from './export-node.ts';

export const pickingExporters: ExporterTable = {
  TopK: topK,
  GatherElements: (e) =>
    e.finish('GatherElements', [e.input(0), e.indices(1, 'indices')], { axis: BigInt(e.number('axis')) }),
  GatherND: gatherNd,
  ScatterElementsUpdate: scatterElements,
  ScatterNDUpdate: scatterNd,
  NonZero: nonZero,
  CumSum: (e) => e.finish('CumSum', [e.input(0), e.int64(1, 'axis')], flags(e)),
  ReverseSequence: (e) =>
    e.finish('ReverseSequence', [e.input(0), e.int64(1, 'lengths')], {
      batch_axis: BigInt(e.number('batch_axis')),
      time_axis: BigInt(e.number('seq_axis')),
    }),
  Einsum: (e) => e.finish('Einsum', e.inputs(), { equation: e.text('equation') }),
};

/** Indices are i64 in ONNX. Of equal elements ONNX, too, takes the first. */
function topK(e: ExportNode): void {
  const [values, indices] = e.node.outputs as [(typeof e.node.outputs)[0], (typeof e.node.outputs)[0]];
  if (e.text('sort') === 'index') e.unsupported('results in the order of their indices');
  const k = e.step('Reshape', [e.int64(1, 'k'), e.int64s([1], 'shape')], 'one');
  const type = indices.fact.type;
  const wide = type === 'i64' ? e.writer.nameOf(indices) : e.writer.unique(`${e.node.name}/indices`);
  const attributes = { axis: BigInt(e.number('axis')), largest: e.text('mode') === 'max' ? 1n : 0n };
  e.writer.node('TopK', [e.input(0), k], [e.writer.nameOf(values), wide], attributes, e.node.name);
  if (type !== 'i64') e.finish('Cast', [wide], { to: castTo(e, type) }, [indices]);
}

function castTo(e: ExportNode, type: string): bigint {
  return type === 'i32' ? 6n : e.unsupported(`indices of type ${type}`);
}

/** The older revision makes one axis of the batch axes. */
function gatherNd(e: ExportNode): void {
  const inputs = [e.input(0), e.int64(1, 'indices')];
  const attributes = { batch_dims: BigInt(e.number('batch_dims')) };
  if (e.node.notes.opset !== 'opset5' || e.number('batch_dims') < 2) {
    e.finish('GatherND', inputs, attributes);
    return;
  }
  const { shape } = e.node.output.fact;
  if (shape.filter((d) => d < 0).length > 1) e.unsupported('batch axes that are joined, of dynamic sizes');
  e.finish('Reshape', [e.step('GatherND', inputs, 'apart', attributes), e.int64s(shape, 'joined')]);
}

/** Opset 17 adds and multiplies; a mean and extremes are not among its reductions. */
function reductionOf(e: ExportNode): { readonly reduction?: string } {
  const reduction = e.text('reduction') || 'none';
  if (reduction === 'none') return {};
  const spelled: Readonly<Record<string, string>> = { sum: 'add', prod: 'mul' };
  return { reduction: spelled[reduction] ?? e.unsupported(`reduction ${reduction}`) };
}

function scatterElements(e: ExportNode): void {
  const reduction = reductionOf(e);
  if (reduction.reduction && e.node.attributes.use_init_val === false)
    e.unsupported('a reduction without the old elements');
  e.finish('ScatterElements', [e.input(0), e.indices(1, 'indices'), e.input(2)], {
    axis: BigInt(e.knownAxis(3)),
    ...reduction,
  });
}

function scatterNd(e: ExportNode): void {
  e.finish('ScatterND', [e.input(0), e.int64(1, 'indices'), e.input(2)], reductionOf(e));
}

function nonZero(e: ExportNode): void {
  if (e.node.output.fact.type === 'i64') e.finish('NonZero', [e.input(0)]);
  else e.finish('Cast', [e.step('NonZero', [e.input(0)], 'wide')], { to: castTo(e, e.node.output.fact.type) });
}

function flags(e: ExportNode) {
  const [exclusive, reverse] = bigints([Number(e.flag('exclusive')), Number(e.flag('reverse'))]);
  return { exclusive: exclusive!, reverse: reverse! };
}
