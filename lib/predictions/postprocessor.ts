// What makes predictions of the outputs of a model.
import type * as z from 'zod';
import type { Sample } from '../data/dataset.ts';
import type { Tensor } from '../tensor/tensor.ts';

export type Outputs = Readonly<Record<string, Tensor>>;

/** Makes predictions that metrics understand out of the outputs of a model for one sample. */
export type Postprocessor = (outputs: Outputs, sample: Sample) => Outputs;

/** A kind of postprocessor, as dataset files name it. */
export interface PostprocessorDefinition {
  readonly name: string;
  readonly summary: string;
  /** Reads what stands beside the name in a dataset file. */
  readonly options: z.ZodType<object, object>;
  create(options: never): Postprocessor;
}

/** A definition whose `create` takes what its schema gives. */
export function definePostprocessor<S extends z.ZodType<object, object>>(
  definition: Omit<PostprocessorDefinition, 'options' | 'create'> & {
    readonly options: S;
    create(options: z.output<S>): Postprocessor;
  },
): PostprocessorDefinition {
  return definition as PostprocessorDefinition;
}
