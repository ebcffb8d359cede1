// The quantization algorithms.
export { createActivationChannelAlignment } from './activation-channel-alignment/algorithm.ts';
export type { Algorithm, AlgorithmContext } from './algorithm.ts';
export { type BiasCorrectionOptions, createBiasCorrection } from './bias-correction/algorithm.ts';
export { createDefaultQuantization, type DefaultQuantizationOptions } from './default-quantization/algorithm.ts';
export { createFastBiasCorrection, type FastBiasCorrectionOptions } from './fast-bias-correction/algorithm.ts';
export { createMinMax, type MinMaxOptions } from './min-max/algorithm.ts';
export { type PipelineContext, type PipelineResult, runPipeline } from './pipeline.ts';
