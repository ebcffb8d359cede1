// The quantization algorithms.
export type { Algorithm, AlgorithmContext } from './algorithm.ts';
export { createDefaultQuantization, type DefaultQuantizationOptions } from './default-quantization/algorithm.ts';
export { createFastBiasCorrection, type FastBiasCorrectionOptions } from './fast-bias-correction/algorithm.ts';
export { createMinMax, type MinMaxOptions } from './min-max/algorithm.ts';
export { type PipelineResult, runPipeline } from './pipeline.ts';
