// Vision processing units: the generation before the NPU.
import { npu, productAndElementwiseRows } from './npu.ts';
import type { TargetDescription } from './target.ts';

export const vpu = {
  ...npu,
  name: 'VPU',
  summary: 'Vision processing units: as NPU, a Concat does not ask for a common range.',
  operations: [...productAndElementwiseRows, { types: ['Concat'], agnostic: true }],
  symmetricProducts: true,
} satisfies TargetDescription;
