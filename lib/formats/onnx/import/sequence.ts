/** Sequences and optionals: lists and absent values while the file is read, tensors and nothing else in the model. */
import { limits } from '../../../errors/limits.ts';
import type { OutputPort } from '../../../graph/node.ts';
import { normalizeAxis } from '../../../tensor/shape.ts';
import type { ImportNode, ValueImporterTable } from './import-node.ts';
import { describe, isTensor, OptionalValue, SequenceValue, type Value } from './values.ts';

export const sequenceImporters: ValueImporterTable = {
  SequenceEmpty: () => [new SequenceValue([])],
  SequenceConstruct: (n) => [new SequenceValue(n.allInputs())],
  SequenceInsert: insert,
  SequenceErase: erase,
  SequenceAt: at,
  SequenceLength: (n) => [n.scalar('i64', sequence(n, 0).length, 'length')],
  SequenceMap: map,
  SplitToSequence: split,
  ConcatFromSequence: concat,
  Optional: (n) => [new OptionalValue(n.optionalValue(0))],
  OptionalHasElement: hasElement,
  OptionalGetElement: getElement,
};

/** The elements of an input that is a sequence. */
function sequence(n: ImportNode, index: number): readonly Value[] {
  const value = n.value(index);
  if (value instanceof SequenceValue) return value.elements;
  return n.invalid(`its input ${index} is ${describe(value)}, expected a sequence`);
}

/** A position of the sequence of input 0 that input `index` gives; `end` is how far beyond the last one it may lie. */
function position(n: ImportNode, index: number, end: 0 | 1): number | undefined {
  const given = n.knownNumber(index, 'position');
  if (given === undefined) return undefined;
  const { length } = sequence(n, 0);
  const place = given < 0 ? given + length : given;
  if (Number.isInteger(place) && place >= 0 && place < length + end) return place;
  return n.invalid(`its position is ${given}, the sequence has ${length} elements`);
}

function insert(n: ImportNode): Value[] {
  const elements = sequence(n, 0);
  return [new SequenceValue(elements.toSpliced(position(n, 2, 1) ?? elements.length, 0, n.input(1)))];
}

function erase(n: ImportNode): Value[] {
  const elements = sequence(n, 0);
  const place = position(n, 1, 0) ?? elements.length - 1;
  if (place < 0) n.invalid('it erases an element of an empty sequence');
  return [new SequenceValue(elements.toSpliced(place, 1))];
}

/** A computed position picks among tensors of one type and shape that lie side by side. */
function at(n: ImportNode): Value[] {
  const elements = sequence(n, 0);
  if (n.optional(1) && !n.optional(1)?.fact.value) return [picked(n, elements)];
  const place = position(n, 1, 0) ?? n.invalid('its input 1, the position, is missing');
  return [elements[place]!];
}

function picked(n: ImportNode, elements: readonly Value[]): OutputPort {
  const ports = elements.filter(isTensor);
  const kinds = new Set(ports.map(({ fact }) => `${fact.type}[${fact.shape}]`));
  if (ports.length !== elements.length || kinds.size !== 1 || [...kinds].some((k) => k.includes('-1'))) {
    n.unsupported(
      `its position is computed, which needs tensors of one shape; the sequence has ${[...kinds].join(', ') || 'none'}`,
    );
  }
  const places = n.reshaped(n.input(1), [], 'position');
  return n.add('Gather', { batch_dims: 0 }, [stacked(n, ports, 0, 'elements'), places, n.scalar('i64', 0, 'axis')]);
}

/** Tensors of one shape along a new axis. */
function stacked(n: ImportNode, ports: readonly OutputPort[], axis: number, suffix?: string): OutputPort {
  const parts = ports.map((port) => n.step('Unsqueeze', [port, n.indices([axis], 'axes')]));
  return n.add('Concat', { axis }, parts, suffix === undefined ? {} : { suffix });
}

/** The body once for each element of the sequence of input 0; other inputs are sequences as long, or tensors. */
function map(n: ImportNode): Value[] {
  const graph = n.attributes.graph('body');
  const first = sequence(n, 0);
  const inputs = Array.from({ length: n.inputCount }, (_, i) => n.value(i));
  if (graph.input.length !== inputs.length || graph.output.length < n.outputNames.length) {
    n.invalid(`its body has ${graph.input.length} inputs and ${graph.output.length} outputs, the node has others`);
  }
  for (const [i, value] of inputs.entries()) {
    if (!(value instanceof SequenceValue) || value.elements.length === first.length) continue;
    n.invalid(`its input ${i} has ${value.elements.length} elements, input 0 has ${first.length}`);
  }
  const results = first.map((_, i) => {
    const values = inputs.map((v) => (v instanceof SequenceValue ? v.elements[i]! : v));
    return n.bodies.inline(graph, values, `${n.name}/${i}`);
  });
  return graph.output.map((_, k) => new SequenceValue(results.map((values) => values[k]!)));
}

/** Sizes are single elements when absent, without their axis when `keepdims` is 0; one number; or a list. */
function split(n: ImportNode): Value[] {
  const sizes = n.optional(1);
  if (sizes && sizes.fact.shape.length > 0) return [new SequenceValue(splitByList(n, sizes))];
  const axis = splitAxis(n);
  const parts = equalParts(n, axis, n.knownInts(1, 'size of parts')?.[0] ?? 1);
  if (sizes || n.attributes.flag('keepdims', true)) return [new SequenceValue(parts)];
  const axes = n.indices([axis], 'axis');
  return [new SequenceValue(parts.map((part) => n.step('Squeeze', [part, axes])))];
}

function splitAxis(n: ImportNode): number {
  return normalizeAxis(n.attributes.int('axis') ?? 0, n.rank(0));
}

/** The last part may be smaller. */
function equalParts(n: ImportNode, axis: number, part: number): readonly OutputPort[] {
  const size = n.input(0).fact.shape[axis]!;
  if (size < 0) n.unsupported(`axis ${axis} has a dynamic size, so the length of the sequence is not known`);
  if (part < 1) n.invalid(`its parts have the size ${part}`);
  const count = Math.ceil(size / part);
  if (count > limits.sequenceParts.value)
    n.unsupported(`it gives a sequence of ${count} tensors; at most ${limits.sequenceParts.value} are read`);
  const lengths = Array.from({ length: count }, (_, i) => Math.min(part, size - i * part));
  return divided(n, axis, n.indices(lengths, 'sizes'));
}

/** Sizes may be computed, their number may not. */
function splitByList(n: ImportNode, sizes: OutputPort): readonly OutputPort[] {
  const axis = splitAxis(n);
  const size = n.input(0).fact.shape[axis]!;
  const known = n.ints(1);
  const sum = known?.reduce((a, b) => a + b, 0) ?? size;
  if (known?.some((s) => s < 0) || (size >= 0 && sum !== size)) {
    n.invalid(`its parts have the sizes ${known}, axis ${axis} has ${size} elements`);
  }
  const count = sizes.fact.shape[0]!;
  if (count < 0) n.unsupported('the number of its sizes is dynamic, so the length of the sequence is not known');
  return divided(n, axis, sizes);
}

function divided(n: ImportNode, axis: number, sizes: OutputPort): readonly OutputPort[] {
  if (sizes.fact.shape[0] === 0) return [];
  return n.addAll('VariadicSplit', {}, [n.input(0), n.scalar('i64', axis, 'split axis'), sizes]);
}

function concat(n: ImportNode): Value[] {
  const elements = sequence(n, 0);
  const ports = elements.filter(isTensor);
  const [first] = ports;
  if (!first || ports.length !== elements.length) n.unsupported(`its input is ${describe(n.value(0))}`);
  const isNew = n.attributes.flag('new_axis');
  const given = n.attributes.int('axis') ?? n.attributes.fail('axis', 'is missing');
  const axis = normalizeAxis(given, first!.fact.shape.length + (isNew ? 1 : 0));
  return [isNew ? stacked(n, ports, axis) : n.add('Concat', { axis }, ports)];
}

function hasElement(n: ImportNode): Value[] {
  const value = n.optionalValue(0);
  const isPresent = value instanceof OptionalValue ? value.content !== undefined : value !== undefined;
  return [n.scalar('boolean', Number(isPresent), 'present')];
}

/** A value that is no optional is its own content. */
function getElement(n: ImportNode): Value[] {
  const value = n.value(0);
  if (!(value instanceof OptionalValue)) return [value];
  return [value.content ?? n.invalid('it reads the content of an optional that is absent')];
}
