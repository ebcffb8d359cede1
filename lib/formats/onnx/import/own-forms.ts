/** Operators that ONNX Runtime (`com.microsoft`) had before ONNX did, or has in a form of its own. */
import { limits } from '../../../errors/limits.ts';
import { LowpError } from '../../../errors/lowp-error.ts';
import type { OutputPort } from '../../../graph/node.ts';
import type { Importer, ImporterTable, ImportNode } from './import-node.ts';
import { inDomain } from './in-domain.ts';
import { pickingImporters } from './picking.ts';
import { signalImporters } from './signal.ts';
import { slicingImporters } from './slicing.ts';

/** The importer of ONNX's operator of the same name, as of an opset. */
function standard(importers: ImporterTable, opset: number): Importer {
  return (n) => importers[n.opType]!(n.derive(n.all(), { opset }));
}

export const ownFormImporters: ImporterTable = inDomain('com.microsoft', {
  Trilu: standard(pickingImporters, 14),
  GatherND: standard(pickingImporters, 13),
  Pad: standard(slicingImporters, 18),
  GridSample: standard(signalImporters, 16),
  Unique: unique,
  ExpandDims: (n) => [n.step('Unsqueeze', [n.input(0), n.reshaped(n.input(1), [1], 'axes')])],
  Inverse: (n) => [n.step('Inverse', [n.input(0)])],
  Range: range,
  CDist: distances,
  CropAndResize: cropAndResize,
});

/** Outputs: elements in the order in which they appear first, where each element is among them, how often each appears. */
function unique(n: ImportNode): (OutputPort | undefined)[] {
  const attributes = { sorted: false, index_element_type: 'i64', count_element_type: 'i64' };
  const [values, , places, counts] = n.addAll('Unique', attributes, [n.input(0)]);
  return [values, places, counts];
}

function range(n: ImportNode): OutputPort[] {
  const { type } = n.input(0).fact;
  const limits = [n.input(0), n.input(1), n.optional(2) ?? n.scalar(type, 1, 'step')];
  return [
    n.step(
      'Range',
      limits.map((port) => n.reshaped(port, [], 'limit')),
      { output_type: type },
    ),
  ];
}

/** Distances of all rows of A to all rows of B. */
function distances(n: ImportNode): OutputPort[] {
  const metric = n.attributes.choice('metric', ['euclidean', 'sqeuclidean'], 'sqeuclidean');
  const [a, b] = [
    n.step('Unsqueeze', [n.input(0), n.indices([1], 'axes')]),
    n.step('Unsqueeze', [n.input(1), n.indices([0], 'axes')]),
  ];
  const difference = n.step('Subtract', [a, b]);
  const square = n.step('Multiply', [difference, difference]);
  const sum = n.step('ReduceSum', [square, n.indices([2], 'axes')], { keep_dims: false });
  return [metric === 'euclidean' ? n.step('Sqrt', [sum]) : sum];
}

/**
 * Boxes of images, resized to one size. Inputs: images, boxes `[y1, x1, y2, x2]` in shares of the image, the image of each
 * box, the size. A place outside of its image gives `extrapolation_value`.
 */
function cropAndResize(n: ImportNode): OutputPort[] {
  const mode = n.attributes.choice('mode', ['bilinear', 'nearest'], 'bilinear');
  const [height, width] = n.input(0).fact.shape.slice(2);
  const size = cropSize(n);
  if (height === undefined || width === undefined) n.invalid(`its images have rank ${n.rank(0)}, expected 4`);
  if (height! < 2 || width! < 2) n.unsupported('images of one line, or of a dynamic size');
  const images = n.step('Gather', [n.input(0), n.input(2), n.scalar('i64', 0, 'axis')], { batch_dims: 0 });
  const rounds = mode === 'nearest';
  const [down, across] = [
    sharesOf(n, { axis: 0, count: size[0], size: height!, rounds }),
    sharesOf(n, { axis: 1, count: size[1], size: width!, rounds }),
  ];
  const [rows, columns] = [
    n.step('Unsqueeze', [down.places, n.indices([2], 'axes')]),
    n.step('Unsqueeze', [across.places, n.indices([1], 'axes')]),
  ];
  const zero = (port: OutputPort) => n.with('Multiply', port, 0);
  const [y, x] = [n.step('Add', [rows, zero(columns)]), n.step('Add', [columns, zero(rows)])];
  const last = n.indices([3], 'axes');
  const grid = n.step(
    'Concat',
    [x, y].map((port) => n.step('Unsqueeze', [port, last])),
    { axis: 3 },
  );
  const sampled = n.step('GridSample', [images, grid], { align_corners: true, mode, padding_mode: 'border' });
  const inside = n.step('LogicalAnd', [
    n.step('Unsqueeze', [down.inside, n.indices([1, 3], 'axes')]),
    n.step('Unsqueeze', [across.inside, n.indices([1, 2], 'axes')]),
  ]);
  const outside = n.scalar('f32', n.attributes.float('extrapolation_value') ?? 0, 'outside');
  return [n.step('Select', [inside, sampled, outside])];
}

/** Rows and columns of a crop. */
function cropSize(n: ImportNode): readonly [rows: number, columns: number] {
  const size = n.knownInts(3, 'size of the crops') ?? n.invalid('it has no size');
  const [rows, columns] = size;
  if (size.length !== 2 || !size.every((d) => d > 0)) {
    n.invalid(`the size of its crops is ${size.join(',')}, expected two positive numbers`);
  }
  const most = limits.imagePixels.value;
  if (rows! * columns! > most) {
    const text = `${n.opType} '${n.name}': crops of ${rows} × ${columns} pixels, at most ${most} are read`;
    throw new LowpError('ERR_LIMIT_SIZE', text, { node: n.name });
  }
  return [rows!, columns!];
}

/** One axis of the crops, and of the images. */
interface CropAxis {
  readonly axis: number;
  readonly count: number;
  readonly size: number;
  /** Places are those of elements; one in the middle between two is that of the later one. */
  readonly rounds: boolean;
}

/**
 * Along one axis the places of each box, −1 and 1 at the middles of the first and the last element of the image, and
 * whether they lie in it: `[boxes, count]`. One place is the middle of its box.
 */
function sharesOf(n: ImportNode, { axis, count, size, rounds }: CropAxis) {
  const at = (index: number): OutputPort => {
    const operands = [n.input(1), n.scalar('i64', index, 'index'), n.scalar('i64', 1, 'axis')];
    const list = n.step('Gather', operands, { batch_dims: 0 });
    return n.step('Unsqueeze', [list, n.indices([1], 'axes')]);
  };
  const [begin, end] = [at(axis), at(axis + 2)];
  const steps = Float32Array.from({ length: count }, (_, i) => (count > 1 ? i / (count - 1) : 0.5));
  const parts = n.constant({ type: 'f32', shape: [1, count], data: steps }, 'steps');
  const span = n.step('Subtract', [end, begin]);
  const share = n.step('Add', [begin, n.step('Multiply', [span, parts])]);
  const place = n.with('Multiply', share, size - 1);
  const inside = n.step('LogicalAnd', [n.with('GreaterEqual', place, 0), n.with('LessEqual', place, size - 1)]);
  const sampled = rounds ? n.step('Floor', [n.with('Add', place, 0.5)]) : place;
  return { places: n.with('Subtract', n.with('Multiply', sampled, 2 / (size - 1)), 1), inside };
}
