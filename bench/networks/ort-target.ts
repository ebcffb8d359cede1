// The device table under which models are quantized for ONNX Runtime's INT8 contestant.
import { cpu } from '../../lib/targets/cpu.ts';
import type { OperationRow, TargetDescription } from '../../lib/targets/target.ts';

const rows: readonly OperationRow[] = cpu.operations;
const { activations = [] } = rows.find((row) => row.types.includes('Convolution')) ?? {};

/**
 * What ONNX Runtime runs on bytes. Two differences from the table of `CPU`, both in its favour: depthwise convolutions
 * read one scale for the whole tensor, as QLinearConv has no scale per channel of an activation, and SoftMax reads bytes,
 * so that the product in front of it has a quantized result, which QLinearConv must have.
 */
export const onnxRuntime: TargetDescription = {
  ...cpu,
  name: 'ONNX_RUNTIME',
  summary: 'The CPU kernels of ONNX Runtime.',
  operations: [
    ...rows.map((row) => (row.types.includes('DepthWiseConvolution') ? { ...row, activations } : row)),
    { types: ['SoftMax'], activations },
  ],
};
