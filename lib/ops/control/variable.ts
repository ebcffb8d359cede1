// ReadValue and Assign: the state that a model keeps from one run to the next.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import type { Fact } from '../../graph/node.ts';
import { formatShape, hasRank, unknownRank } from '../../tensor/shape.ts';
import { elementType } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import { type Facts, inputFact } from '../fact.ts';
import { shapeText } from './parameter.ts';

const named = z.object({ variable_id: z.string().min(1) });
const typed = named.extend({ variable_type: elementType.optional(), variable_shape: shapeText.optional() });

type Attributes = z.infer<typeof typed>;

const nameOf = (a: Attributes): string => a.variable_id;

/** The type and shape of the variable: as declared, else as its first value. */
function infer(a: Attributes, inputs: Facts): Fact[] {
  const first = inputs[0];
  const type = first?.type ?? a.variable_type;
  const shape = first?.shape ?? a.variable_shape;
  if (!type || !shape) {
    throw new LowpError(
      'ERR_OP_INPUTS',
      `the variable '${a.variable_id}' has neither a first value nor a type and shape`,
    );
  }
  return [{ type, shape: hasRank(shape) ? shape : unknownRank }];
}

function assigned(inputs: Facts): Fact[] {
  const { type, shape } = inputFact(inputs, 0);
  return [{ type, shape }];
}

const read = { type: 'ReadValue', infer, stateful: true, variable: { access: 'read' as const, name: nameOf } };
const write = { type: 'Assign', stateful: true, variable: { access: 'write' as const, name: nameOf } };

/** The variable's value in front of this run: input 0 until it was assigned. */
export const readValue3 = defineOp<Attributes>({ ...read, opset: 'opset3', attributes: named, inputs: [1, 1] });

/** ReadValue with a declared type and shape; a variable without input 0 begins with zeros. */
export const readValue6 = defineOp<Attributes>({
  ...read,
  opset: 'opset6',
  attributes: typed,
  inputs: [0, 1],
  ir: {
    write: (a) => ({
      variable_id: a.variable_id,
      ...(a.variable_type === undefined ? {} : { variable_type: a.variable_type }),
      ...(a.variable_shape === undefined ? {} : { variable_shape: formatShape(a.variable_shape).slice(1, -1) }),
    }),
  },
});

/** Gives the variable a value for the next run, and passes it on. */
export const assign3 = defineOp<Attributes>({
  ...write,
  opset: 'opset3',
  attributes: named,
  inputs: [1, 1],
  infer: (_, inputs) => assigned(inputs),
  quantization: { quantizedPorts: [0] },
});
