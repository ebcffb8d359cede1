// Declares an operation that applies one function to each element.
import type { ZodType } from 'zod';
import type { Node } from '../../graph/node.ts';
import { fromFloat64, toFloat64 } from '../../tensor/convert.ts';
import { type ElementType, isFloat } from '../../tensor/element-type.ts';
import { defineOp, type OpDef } from '../define-op.ts';
import { inputFact } from '../fact.ts';
import type { LowerContext } from '../lower-context.ts';
import { lowerUnary, type UnaryFunction } from './lower-unary.ts';

/** What a pointwise operation is, besides its function. */
export interface Pointwise<A> extends Partial<Pick<OpDef<A>, 'asPostOp' | 'quantization' | 'ir' | 'expand'>> {
  /** The native function and its parameters; absent or undefined: the host evaluates it. */
  kernel?(a: A): readonly [name: UnaryFunction, alpha?: number, beta?: number] | undefined;
  readonly type: string;
  readonly opset?: string;
  readonly attributes: ZodType<A>;
  /** The function for elements of `type`; it is asked for once per tensor. */
  function(a: A, type: ElementType): (x: number) => number;
}

/** `y[i] = f(x[i])`: output of the input's shape and type, computed in doubles. */
export function definePointwise<A>(spec: Pointwise<A>): OpDef {
  const { function: functionOf, kernel, opset = 'opset1', ...rest } = spec;
  return defineOp<A>({
    ...rest,
    opset,
    inputs: [1, 1],
    ...(kernel
      ? {
          lower: (a: A, node: Node, context: LowerContext) => lowerUnary(node, context, ...kernel(a)!),
          canLower: (a: A) => kernel(a) !== undefined,
          runtime: { bytes: 'never', epilogue: 'affine', storesBytes: true } as const,
        }
      : {}),
    infer: (_, inputs) => {
      const { type, shape } = inputFact(inputs, 0);
      return [{ type, shape }];
    },
    evaluate: (a, [x]) => [fromFloat64(mapValues(toFloat64(x!), functionOf(a, x!.type)), x!.shape, x!.type)],
  });
}

/** A new array with `f` of each element. */
export function mapValues(values: Float64Array, f: (x: number) => number): Float64Array {
  const out = new Float64Array(values.length);
  for (let i = 0; i < out.length; i++) out[i] = f(values[i]!);
  return out;
}

/** True for types whose results are rounded to whole numbers. */
export function isWhole(type: ElementType): boolean {
  return !isFloat(type);
}
