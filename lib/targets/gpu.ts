// Graphics processors: the table of the processor without recurrent sequences.
import { commonRows, cpu } from './cpu.ts';
import type { TargetDescription } from './target.ts';

export const gpu = {
  ...cpu,
  name: 'GPU',
  summary: 'Integrated and discrete GPUs: as CPU, recurrent sequences stay in floating point.',
  operations: commonRows,
  mayOverflow: false,
} satisfies TargetDescription;
