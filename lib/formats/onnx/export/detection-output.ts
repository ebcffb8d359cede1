/** DetectionOutput as the operators that decode, rank, suppress and order boxes. */
import { tensor } from '../../../tensor/tensor.ts';
import type { ExportNode } from './export-node.ts';
import {
  castTo,
  concatenated,
  counting,
  expanded,
  firstThose,
  part,
  ranked,
  reshaped,
  single,
  unsqueezed,
} from './steps.ts';

interface Sizes {
  readonly images: number;
  readonly priors: number;
  /** Predicted boxes of one prior. */
  readonly locations: number;
  /** All classes but the background, in their order. */
  readonly labels: readonly number[];
  /** Candidates of one class, and results of one image. */
  readonly candidates: number;
  readonly kept: number;
  /** Rows of the output. */
  readonly rows: number;
}

/** Each class by itself; ONNX has no operator for the first stage of two, or for boxes whose classes compete. */
export function detectionOutput(e: ExportNode): void {
  const sizes = sizesOf(e);
  const type = e.node.output.fact.type;
  const boxes = decoded(e, sizes);
  const { scores, flat } = suppressed(e, sizes, boxes);
  const found = e.step('Greater', [scores, e.scalar('f32', Number.NEGATIVE_INFINITY, 'none')], 'found');
  const rows = written(e, sizes, boxes, { scores, flat });
  const { padded, count } = together(e, sizes, rows, found);
  const position = counting(e, sizes.rows, [sizes.rows, 1], 'position');
  const isRow = e.step('Less', [position, count], 'is_row');
  const isEnd = e.step('Equal', [position, count], 'is_end');
  const end = e.constant(tensor('f32', [1, 7], [-1, 0, 0, 0, 0, 0, 0]), 'end');
  const behind = e.step('Where', [isEnd, end, e.scalar('f32', 0, 'zero')], 'behind');
  const all = e.step('Where', [isRow, padded, behind], 'all');
  const shape = e.int64s([1, 1, sizes.rows, 7], 'shape');
  e.finish('Reshape', [type === 'f32' ? all : castTo(e, all, type, 'typed'), shape]);
}

function sizesOf(e: ExportNode): Sizes {
  if (e.node.inputs.length > 3) e.unsupported('the locations of a first stage');
  if (e.flag('decrease_label_id')) e.unsupported('decrease_label_id');
  const keep = e.ints('keep_top_k')[0]!;
  const threshold = e.number('nms_threshold');
  if (keep === 0 || !(threshold >= 0 && threshold <= 1)) e.unsupported('keep_top_k 0 or a threshold outside of 0 to 1');
  const [location, confidence, defaults] = [e.shape(0), e.shape(1), e.shape(2)];
  const rows = e.node.output.fact.shape[2]!;
  if ([...location, ...confidence, ...defaults, rows].some((d) => d < 0)) e.unsupported('inputs of dynamic size');
  const priors = defaults[2]! / (e.flag('normalized') ? 4 : 5);
  const classes = confidence[1]! / priors;
  const background = e.number('background_label_id');
  const labels = Array.from({ length: classes }, (_, i) => i).filter((c) => c !== background);
  const top = e.number('top_k');
  return {
    images: location[0]!,
    priors,
    locations: e.flag('share_location') ? 1 : classes,
    labels,
    candidates: top >= 0 ? Math.min(top, priors) : priors,
    kept: keep > 0 ? Math.min(keep, priors * labels.length) : priors * labels.length,
    rows,
  };
}

/** Corners x0, y0, x1, y1 of all predicted boxes: [N, locations, P, 4]. */
function decoded(e: ExportNode, { images, priors, locations }: Sizes): string {
  const batch = e.shape(2)[0]!;
  const each = e.flag('normalized') ? 4 : 5;
  const row = (r: number, length: number, name: string): string => {
    const one = part(e, single(e, 2, 'single_defaults'), 1, r, r + 1, `${name}/row`);
    return reshaped(e, part(e, one, 2, 0, priors * length, `${name}/own`), [batch, 1, priors, length], name);
  };
  let prior = row(0, each, 'defaults');
  if (each === 5) {
    const [w, h] = [e.number('input_width'), e.number('input_height')];
    const unit = e.constant(tensor('f32', [4], [w, h, w, h]), 'unit');
    prior = e.step('Div', [part(e, prior, 3, 1, 5, 'corners'), unit], 'shares');
  }
  const apart = reshaped(e, single(e, 0, 'single_locations'), [images, priors, locations, 4], 'locations');
  const predicted = e.step('Transpose', [apart], 'predicted', { perm: [0n, 2n, 1n, 3n] });
  const coded = e.flag('variance_encoded_in_target')
    ? predicted
    : e.step('Mul', [predicted, row(1, 4, 'variances')], 'scaled');
  const boxes = e.text('code_type').endsWith('CENTER_SIZE')
    ? fromCenters(e, prior, coded)
    : e.step('Add', [prior, coded], 'boxes');
  return e.flag('clip_before_nms') ? clipped(e, boxes, 'clipped') : boxes;
}

function fromCenters(e: ExportNode, prior: string, coded: string): string {
  const half = e.scalar('f32', 0.5, 'half');
  const halves = (x: string, name: string) => [part(e, x, 3, 0, 2, `${name}_0`), part(e, x, 3, 2, 4, `${name}_1`)];
  const [near, far] = halves(prior, 'default');
  const [shift, growth] = halves(coded, 'coded');
  const size = e.step('Sub', [far!, near!], 'size');
  const center = e.step('Mul', [e.step('Add', [near!, far!], 'sum'), half], 'center');
  const middle = e.step('Add', [e.step('Mul', [shift!, size], 'shift'), center], 'middle');
  const extent = e.step('Mul', [e.step('Mul', [e.step('Exp', [growth!], 'growth'), size], 'extent'), half], 'reach');
  const corners = [e.step('Sub', [middle, extent], 'near'), e.step('Add', [middle, extent], 'far')];
  return concatenated(e, corners, 3, 'boxes');
}

function clipped(e: ExportNode, boxes: string, suffix: string): string {
  return e.step('Clip', [boxes, e.scalar('f32', 0, `${suffix}/low`), e.scalar('f32', 1, `${suffix}/high`)], suffix);
}

/** What is kept of one image: scores, −∞ where there is nothing, and prior · classes + class; both [N, kept]. */
interface Kept {
  readonly scores: string;
  readonly flat: string;
}

/** The best of all classes, by class, then by score, then by prior. */
function suppressed(e: ExportNode, sizes: Sizes, boxes: string): Kept {
  const { images, priors, labels, candidates, kept } = sizes;
  const classes = labels.length;
  const lists = images * classes;
  const byPrior = reshaped(e, single(e, 1, 'single_confidences'), [images, priors, -1], 'confidences');
  const all = e.step('Transpose', [byPrior], 'by_class', { perm: [0n, 2n, 1n] });
  const scores = e.step('Gather', [all, e.int64s(labels, 'labels')], 'scores', { axis: 1n });
  const best = ranked(e, scores, candidates, 2, 'candidates');
  const own = candidateBoxes(e, sizes, boxes, best.positions);
  const values = reshaped(e, best.values, [lists, 1, candidates], 'candidate_scores');
  const limits = [
    e.int64s([candidates], 'most'),
    e.constant(tensor('f32', [1], [e.number('nms_threshold')]), 'overlap'),
    e.constant(tensor('f32', [1], [e.number('confidence_threshold')]), 'confidence'),
  ];
  const picked = e.step('NonMaxSuppression', [own, values, ...limits], 'picked');
  const list = part(e, picked, 1, 0, 1, 'list');
  const pair = concatenated(e, [list, part(e, picked, 1, 2, 3, 'rank')], 1, 'pair');
  const of = (x: string, name: string): string =>
    e.step('GatherND', [reshaped(e, x, [lists, candidates], `${name}/lists`), pair], name);
  const prior = of(best.positions, 'prior');
  const score = of(best.values, 'score');
  // ((image · P) + prior) · classes + class: equal scores are ordered by prior, then by class.
  const count = e.int64s([classes], 'classes');
  const flatList = reshaped(e, list, [-1], 'lists');
  const image = e.step('Div', [flatList, count], 'image');
  const label = e.step('Mod', [flatList, count], 'label');
  const cell = e.step('Add', [e.step('Mul', [image, e.int64s([priors], 'priors')], 'first'), prior], 'cell');
  const at = e.step('Add', [e.step('Mul', [cell, count], 'cells'), label], 'at');
  const nothing = expanded(e, e.scalar('f32', Number.NEGATIVE_INFINITY, 'nothing'), [lists * priors], 'empty');
  const spread = e.step('ScatterElements', [nothing, at, score], 'spread', { axis: 0n });
  const perImage = reshaped(e, spread, [images, priors * classes], 'per_image');
  const strongest = ranked(e, perImage, kept, 1, 'strongest');
  return byClass(e, sizes, { scores: strongest.values, flat: strongest.positions });
}

/** The boxes of the candidates of every class, near corner first: [N · classes, candidates, 4]. */
function candidateBoxes(e: ExportNode, sizes: Sizes, boxes: string, positions: string): string {
  const { images, priors, labels, locations, candidates } = sizes;
  const classes = labels.length;
  const perClass =
    locations === 1
      ? expanded(e, boxes, [images, classes, priors, 4], 'shared')
      : e.step('Gather', [boxes, e.int64s(labels, 'own_labels')], 'own', { axis: 1n });
  const index = expanded(e, unsqueezed(e, positions, [3], 'index'), [images, classes, candidates, 4], 'indices');
  const taken = e.step('GatherElements', [perClass, index], 'taken', { axis: 2n });
  const flat = reshaped(e, taken, [images * classes, candidates, 4], 'candidate_boxes');
  if (e.text('code_type').endsWith('CENTER_SIZE')) return flat;
  // Shifted corners may pass each other: such a box covers nothing, where ONNX would turn it round.
  const near = part(e, flat, 2, 0, 2, 'near_corner');
  return concatenated(e, [near, e.step('Max', [near, part(e, flat, 2, 2, 4, 'far_corner')], 'far')], 2, 'upright');
}

function byClass(e: ExportNode, { labels, kept }: Sizes, { scores, flat }: Kept): Kept {
  const isThere = e.step('Greater', [scores, e.scalar('f32', Number.NEGATIVE_INFINITY, 'no_score')], 'is_there');
  const label = e.step('Mod', [flat, e.int64s([labels.length], 'all_classes')], 'own_label');
  const key = castTo(e, e.step('Where', [isThere, label, e.int64s([labels.length], 'last')], 'key'), 'f32', 'keys');
  const { positions } = ranked(e, key, kept, 1, 'by_label', 'rising');
  const take = (x: string, name: string) => e.step('GatherElements', [x, positions], name, { axis: 1n });
  return { scores: take(scores, 'kept_scores'), flat: take(flat, 'kept_at') };
}

/** Image, label, score and corners of what is kept: [N, kept, 7]. */
function written(e: ExportNode, sizes: Sizes, boxes: string, { scores, flat }: Kept): string {
  const { images, priors, labels, locations, kept } = sizes;
  const count = e.int64s([labels.length], 'classes_of_rows');
  const prior = e.step('Div', [flat, count], 'row_prior');
  const label = e.step(
    'Gather',
    [e.int64s(labels, 'row_labels'), e.step('Mod', [flat, count], 'row_class')],
    'row_label',
  );
  const offset = e.step('Mul', [label, e.int64s([priors], 'row_priors')], 'row_offset');
  const index = locations === 1 ? prior : e.step('Add', [prior, offset], 'row_box');
  const flatBoxes = reshaped(e, boxes, [images, locations * priors, 4], 'flat_boxes');
  const box = e.step('GatherND', [flatBoxes, unsqueezed(e, index, [2], 'row_index')], 'row_boxes', { batch_dims: 1n });
  const corners = e.flag('clip_after_nms') ? clipped(e, box, 'clipped_rows') : box;
  const numbers = Array.from({ length: images * kept }, (_, i) => Math.floor(i / kept));
  const image = e.constant(tensor('f32', [images, kept, 1], numbers), 'row_image');
  const labelColumn = unsqueezed(e, castTo(e, label, 'f32', 'label_number'), [2], 'label_column');
  return concatenated(e, [image, labelColumn, unsqueezed(e, scores, [2], 'score_column'), corners], 2, 'rows');
}

/** The rows of all images without gaps, as many as the output has, and how many of them are detections. */
function together(e: ExportNode, sizes: Sizes, rows: string, found: string): { padded: string; count: string } {
  const total = sizes.images * sizes.kept;
  const isFound = reshaped(e, found, [total], 'all_found');
  let list = reshaped(e, rows, [total, 7], 'all_rows');
  if (sizes.images > 1) {
    const order = firstThose(e, isFound, total, 0, 'gaps');
    list = e.step('Gather', [list, order], 'without_gaps', { axis: 0n });
  }
  const number = castTo(e, isFound, 'i64', 'each_found');
  const count = e.step('ReduceSum', [number, e.int64s([0], 'count_axes')], 'count', { keepdims: 1n });
  if (total > sizes.rows) return { padded: part(e, list, 0, 0, sizes.rows, 'cut'), count };
  if (total === sizes.rows) return { padded: list, count };
  const missing = [0, 0, sizes.rows - total, 0];
  return { padded: e.step('Pad', [list, e.int64s(missing, 'missing')], 'padded'), count };
}
