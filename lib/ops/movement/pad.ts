// Pad, both revisions: adds elements around a tensor.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import type { Node } from '../../graph/node.ts';
import { toFloat64 } from '../../tensor/convert.ts';
import type { ElementType } from '../../tensor/element-type.ts';
import { elementCount } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { enumeration } from '../attribute.ts';
import { defineOp, type OpDef } from '../define-op.ts';
import { commonType, type Facts, factsOf, factsOfNode, inputFact, knownIntegers } from '../fact.ts';
import type { LowerContext } from '../lower-context.ts';
import { padByte, padRefusal } from './lower.ts';
import { canLowerRuns, lowerRuns } from './lower-runs.ts';
import { takeByAxes } from './take.ts';

const modes = ['constant', 'edge', 'reflect', 'symmetric'] as const;

const attributes = z.object({ pad_mode: enumeration(modes).default('constant') });

type Mode = (typeof modes)[number];

/** The input position for each output position of one axis, -1 for the pad value. */
function padPositions(mode: Mode, size: number, begin: number, end: number): number[] {
  const source = (p: number): number => {
    if (p >= 0 && p < size) return p;
    if (mode === 'constant') return -1;
    if (mode === 'edge') return p < 0 ? 0 : size - 1;
    const edge = mode === 'symmetric' ? 1 : 0;
    return p < 0 ? -p - edge : 2 * (size - 1) - p + edge;
  };
  return Array.from({ length: size + begin + end }, (_, i) => source(i - begin));
}

function check(mode: Mode, size: number, begin: number, end: number, axis: number): void {
  const most =
    mode === 'reflect' ? size - 1 : mode === 'symmetric' ? size : mode === 'edge' && size === 0 ? 0 : Infinity;
  if (Math.max(begin, end) > most) {
    throw new LowpError(
      'ERR_SHAPE_MISMATCH',
      `${mode} padding of axis ${axis} with ${size} elements by ${begin} and ${end}`,
    );
  }
  if (size + begin + end < 0) {
    throw new LowpError(
      'ERR_SHAPE_MISMATCH',
      `padding ${begin} and ${end} leaves nothing of axis ${axis} with ${size}`,
    );
  }
}

interface Amounts {
  readonly begin: readonly number[];
  readonly end: readonly number[];
}

function amountsOf(inputs: Facts): Amounts | undefined {
  const rank = inputFact(inputs, 0).shape.length;
  const [begin, end] = [knownIntegers(inputFact(inputs, 1)), knownIntegers(inputFact(inputs, 2))];
  if (!begin || !end) return undefined;
  if (begin.length !== rank || end.length !== rank) {
    throw new LowpError('ERR_SHAPE_MISMATCH', `${begin.length} and ${end.length} amounts of padding for ${rank} axes`);
  }
  return { begin, end };
}

function infer(a: z.infer<typeof attributes>, inputs: Facts) {
  const x = inputFact(inputs, 0);
  if (inputs[3]) commonType(x, inputs[3]);
  const amounts = amountsOf(inputs);
  const shape = x.shape.map((d, i) => {
    if (!amounts || d < 0) return -1;
    const [begin, end] = [amounts.begin[i]!, amounts.end[i]!];
    check(a.pad_mode, d, begin, end, i);
    return d + begin + end;
  });
  return [{ type: x.type, shape }];
}

function pad(mode: Mode, inputs: readonly Tensor[]): Tensor {
  const x = inputs[0]!;
  const { begin, end } = amountsOf(factsOf(inputs))!;
  const axes = x.shape.map((d, i) => padPositions(mode, d, begin[i]!, end[i]!));
  const fill = inputs[3];
  if (fill && elementCount(fill.shape) !== 1) {
    throw new LowpError('ERR_SHAPE_MISMATCH', `the pad value has ${elementCount(fill.shape)} elements, expected 1`);
  }
  return takeByAxes(x, axes, fill);
}

/** The constant that is padded with, undefined when it is computed. */
function padValue(node: Node): number | undefined {
  const fill = node.source(3);
  if (!fill) return 0;
  return fill.fact.value && toFloat64(fill.fact.value)[0];
}

/** The input positions of every axis; undefined when the amounts are computed. */
function positionsOf(mode: Mode, node: Node): readonly (readonly number[])[] | undefined {
  const amounts = amountsOf(factsOfNode(node));
  const { shape } = node.source(0)!.fact;
  return amounts && shape.map((d, i) => padPositions(mode, d, amounts.begin[i]!, amounts.end[i]!));
}

const padded: readonly ElementType[] = ['f32', 'i32', 'i64', 'boolean'];

/** The kernel gets its value as a float, which holds every whole number up to there. */
const mostWhole = 2 ** 24;

function canFill(node: Node): boolean {
  const value = padValue(node);
  return value !== undefined && (node.output.fact.type === 'f32' || Math.abs(value) <= mostWhole);
}

function canLower(mode: Mode, node: Node): boolean {
  const positions = positionsOf(mode, node);
  return positions !== undefined && canLowerRuns(positions) && (mode !== 'constant' || canFill(node));
}

/** The value everywhere, where there is one, then parts of the input over it. */
function lower(mode: Mode, node: Node, context: LowerContext): void {
  const { name, output } = node;
  const elements = elementCount(output.fact.shape);
  lowerRuns(node, context, positionsOf(mode, node)!, (target, format) => {
    const value = format ? padByte(format, padValue(node)!) : padValue(node)!;
    context.builder.call('fill', { elements, value }, { name, in: [], out: [target] });
  });
}

/**
 * Inputs: data, amounts before, amounts behind, optional pad value (0). Modes: `constant`; `edge` repeats the last
 * element; `reflect` mirrors without it; `symmetric` mirrors with it. Negative amounts crop.
 */
function define(opset: string): OpDef {
  return defineOp({
    type: 'Pad',
    opset,
    attributes,
    inputs: [3, 4],
    infer,
    evaluate: (a, inputs) => {
      infer(a, factsOf(inputs));
      return [pad(a.pad_mode, inputs)];
    },
    lower: (a, node, context) => lower(a.pad_mode, node, context),
    canLower: (a, node) => canLower(a.pad_mode, node),
    runtime: {
      bytes: 'move',
      epilogue: 'none',
      types: { inputs: [padded], outputs: [padded] },
      refuses: (node, format) => padRefusal(format, padValue(node) ?? 0),
    },
    quantization: { ascend: 'nonConstant' },
  });
}

export const pad1 = define('opset1');
export const pad12 = define('opset12');
