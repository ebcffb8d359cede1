/** Values that are cut into iterations or joined from them, where ONNX has an axis of the iterations and lowp has parts. */
import type { PortMapping, Slicing } from '../../../graph/sub-graph.ts';
import { normalizeAxis, type Shape } from '../../../tensor/shape.ts';
import type { BodyExport } from './body.ts';
import { bigints, type ExportNode } from './export-node.ts';

/** An end that means "to the last element". */
const farEnd = Number.MAX_SAFE_INTEGER;

/** The axis of the iterations, and whether they run from its end. */
export interface Direction {
  readonly axis: number;
  readonly isReversed: boolean;
}

/** An input of a Scan. */
export interface CutInput extends Direction {
  readonly value: string;
}

/** Declares the piece of an input in the body; the value has an axis for the iterations. */
export function cutInput(
  e: ExportNode,
  body: BodyExport,
  external: number,
  internal: number,
  slicing: Slicing,
): CutInput {
  const whole = e.shape(external);
  const axis = normalizeAxis(slicing.axis, whole.length);
  const port = body.parameter(internal);
  const { type, shape } = port.fact;
  const direction = { axis, isReversed: slicing.stride < 0 };
  const range = rangeOf(e, external, axis, slicing);
  if (slicing.partSize === 1) {
    const name = body.input(port.node.name, type, shape.toSpliced(axis, 1));
    body.bind(internal, body.step('Unsqueeze', [name, e.int64s([axis], `axis.${external}`)], 'piece'));
    return { ...direction, value: range };
  }
  body.parameterInput(internal);
  const parts = whole.toSpliced(axis, 1, -1, slicing.partSize);
  return { ...direction, value: reshaped(e, range, parts, `parts.${external}`) };
}

/**
 * Takes the piece of an input by the number of the iteration, in the body of a Loop: ONNX cuts inputs of Scan only.
 *
 * @returns the name of the number of pieces, i64 of shape [1]
 */
export function numberedPiece(
  e: ExportNode,
  body: BodyExport,
  mapping: PortMapping & { readonly slicing: Slicing },
  iteration: string,
): string {
  const { external, internal, slicing } = mapping;
  const axis = normalizeAxis(slicing.axis, e.shape(external).length);
  const range = rangeOf(e, external, axis, slicing);
  const at = e.int64s([axis], `axis.${external}`);
  const step = e.int64s([slicing.partSize], `part.${external}`);
  const size = e.step('Gather', [e.step('Shape', [range], `shape.${external}`), at], `size.${external}`);
  const offset = body.step('Mul', [iteration, step], `offset.${external}`);
  const last = e.step('Sub', [size, step], `last.${external}`);
  const start = slicing.stride > 0 ? offset : body.step('Sub', [last, offset], `start.${external}`);
  const end = body.step('Add', [start, step], `end.${external}`);
  const piece = body.step('Slice', [range, start, end, at], `piece.${external}`);
  const { shape } = body.parameter(internal).fact;
  const isKnown = shape.every((d) => d >= 0);
  const known = isKnown ? body.step('Reshape', [piece, e.int64s(shape, `piece.${external}`)], 'piece') : piece;
  body.bind(internal, known);
  return e.step('Div', [size, step], `pieces.${external}`);
}

/** The elements that iterations read, when not all of them. */
function rangeOf(e: ExportNode, external: number, axis: number, { start, end, stride }: Slicing): string {
  const size = e.shape(external)[axis]!;
  const [low, high] = stride > 0 ? [start, end] : [end, start];
  const isWhole = (low === 0 || low === -size) && (high === -1 || high === size - 1);
  if (isWhole) return e.input(external);
  const inputs = [[low], [high === -1 ? farEnd : high + 1], [axis]].map((v, i) =>
    e.int64s(v, `range.${external}.${i}`),
  );
  return e.step('Slice', [e.input(external), ...inputs], `range.${external}`);
}

/** An output of the node that is joined from iterations. */
export interface Joined {
  /** True when ONNX joins exactly as lowp does. */
  readonly isWhole: boolean;
  /** Adds what makes the output of what ONNX joined. */
  finish(joined: string, output: string): void;
}

/** Declares the piece of a joined output; ONNX puts the axis of the iterations where `direction` says. */
export function joinedOutput(
  e: ExportNode,
  body: BodyExport,
  mapping: PortMapping & { readonly slicing: Slicing },
  direction: Direction,
): Joined {
  const { type, shape } = body.result(mapping.internal).fact;
  const axis = normalizeAxis(mapping.slicing.axis, shape.length);
  const isSingle = shape[axis] === 1;
  const value = body.writer.nameOf(body.result(mapping.internal));
  const axes = e.int64s([axis], `axis.${mapping.external}`);
  if (isSingle) body.output(body.step('Squeeze', [value, axes], 'piece'), type, shape.toSpliced(axis, 1));
  else body.output(value, type, shape);
  const turns = mapping.slicing.stride < 0 !== direction.isReversed;
  const moves = axis !== direction.axis;
  const target = e.node.outputs[mapping.external]!.fact.shape;
  return {
    isWhole: isSingle && !turns && !moves,
    finish: (joined, output) => {
      const steps: [string, readonly string[], Parameters<ExportNode['step']>[3]][] = [];
      if (turns) steps.push(['Slice', reversal(e, direction.axis), {}]);
      const rank = shape.length + (isSingle ? 0 : 1);
      if (moves) steps.push(['Transpose', [], { perm: bigints(moved(rank, direction.axis, axis)) }]);
      if (!isSingle) steps.push(['Reshape', [targetOf(e, target, `joined.${mapping.external}`)], {}]);
      let name = joined;
      for (const [i, [opType, inputs, attributes]] of steps.entries()) {
        const isLast = i === steps.length - 1;
        const next = isLast ? output : e.writer.unique(`${e.node.name}/${opType}`);
        e.writer.node(opType, [name, ...inputs], [next], attributes ?? {}, `${e.node.name}/${opType}`);
        name = next;
      }
    },
  };
}

function reversal(e: ExportNode, axis: number): string[] {
  const lists = { starts: -1, ends: -farEnd, axes: axis, steps: -1 };
  return Object.entries(lists).map(([name, value]) => e.int64s([value], `reversed/${name}`));
}

/** The order of axes that takes axis `from` to `to`. */
function moved(rank: number, from: number, to: number): number[] {
  const others = Array.from({ length: rank }, (_, i) => i).toSpliced(from, 1);
  return others.toSpliced(to, 0, from);
}

function reshaped(e: ExportNode, value: string, shape: Shape, suffix: string): string {
  return e.step('Reshape', [value, targetOf(e, shape, suffix)], suffix);
}

/** A shape as an initializer; one of its sizes may be dynamic. */
function targetOf(e: ExportNode, shape: Shape, suffix: string): string {
  if (shape.filter((d) => d < 0).length > 1) e.unsupported('parts of several elements beside dynamic sizes');
  return e.int64s(shape, `${suffix}/shape`);
}
