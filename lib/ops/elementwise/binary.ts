// Declares an operation that applies one function to pairs of elements, with broadcasting.
import type { ZodType } from 'zod';
import type { Node } from '../../graph/node.ts';
import { fromFloat64 } from '../../tensor/convert.ts';
import type { ElementType } from '../../tensor/element-type.ts';
import { toStrings } from '../../tensor/strings.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { type BroadcastRule, broadcastBy, expandTensor } from '../broadcast.ts';
import { defineOp, type OpDef } from '../define-op.ts';
import { commonType, type Facts, inputFact } from '../fact.ts';
import type { LowerContext } from '../lower-context.ts';
import { type BinaryFunction, type IntegerFunction, integersOf } from './emit-binary.ts';
import { binaryRuntime, canLowerBinary, lowerBinary } from './lower-binary.ts';

/** What a binary operation is, besides its function. */
export interface Binary<A extends BroadcastRule> extends Partial<Pick<OpDef<A>, 'asPostOp' | 'quantization'>> {
  readonly type: string;
  readonly opset?: string;
  readonly attributes: ZodType<A>;
  /** The native function of floats; absent: the host evaluates it. */
  readonly kernel?: BinaryFunction;
  /** The native function of i32 and i64 when it is not called as that of floats. */
  readonly whole?: IntegerFunction | ((a: A) => IntegerFunction);
  /** A lowering of its own, in place of native functions. */
  readonly lowering?: Required<Pick<OpDef<A>, 'lower' | 'canLower'>> & Pick<OpDef<A>, 'runtime'>;
  /** Takes strings too; the function gets a number for each, equal ones for equal strings. */
  readonly strings?: true;
  /** Type of the output when it is not the operands'. */
  readonly output?: ElementType;
  /** The function for operands of `type`; it is asked for once per call. */
  function(a: A, type: ElementType): (x: number, y: number) => number;
}

/** `z[i] = f(x[i], y[i])` over the broadcast shape; both operands have one type. Computed in doubles. */
export function defineBinary<A extends BroadcastRule>(spec: Binary<A>): OpDef {
  const { function: functionOf, kernel, whole, lowering = {}, output, opset = 'opset1', ...rest } = spec;
  const infer = (a: A, inputs: Facts) => {
    const [x, y] = [inputFact(inputs, 0), inputFact(inputs, 1)];
    const type = commonType(x, y);
    return [{ type: output ?? type, shape: broadcastBy(a, x.shape, y.shape) }];
  };
  return defineOp<A>({
    ...rest,
    opset,
    inputs: [2, 2],
    ...(kernel || whole ? nativeBinary<A>(kernel, whole) : lowering),
    infer,
    evaluate: (a, [x, y]) => {
      const { type, shape } = infer(a, [x, y])[0]!;
      const f = functionOf(a, x!.type);
      const [u, v] = (x!.type === 'string' ? numbered([x!, y!]) : [x!, y!]).map((t) => expandTensor(t, shape));
      const out = new Float64Array(u!.length);
      for (let i = 0; i < out.length; i++) out[i] = f(u![i]!, v![i]!);
      return [fromFloat64(out, shape, type)];
    },
  });
}

/** Tensors of strings as numbers, equal ones for equal strings. */
function numbered(tensors: readonly Tensor[]): Tensor[] {
  const numbers = new Map<string, number>();
  return tensors.map((t) => {
    const data = Int32Array.from(toStrings(t), (value) => {
      const number = numbers.get(value) ?? numbers.size;
      numbers.set(value, number);
      return number;
    });
    return { type: 'i32', shape: t.shape, data };
  });
}

function nativeBinary<A extends BroadcastRule>(
  floats: BinaryFunction | undefined,
  spec: Binary<A>['whole'],
): Pick<OpDef<A>, 'lower' | 'canLower' | 'runtime'> {
  const whole = (a: A): IntegerFunction | undefined =>
    typeof spec === 'function' ? spec(a) : (spec ?? (floats && integersOf(floats)));
  return {
    lower: (a: A, node: Node, context: LowerContext) => lowerBinary(node, context, { floats, whole: whole(a) }),
    canLower: canLowerBinary,
    runtime: (node) => binaryRuntime({ floats, whole: whole(node.attributes as unknown as A) }),
  };
}
