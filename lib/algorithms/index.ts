// The quantization algorithms, by name.
import { activationChannelAlignment } from './activation-channel-alignment/definition.ts';
import { biasCorrection } from './bias-correction/definition.ts';
import { defaultQuantization } from './default-quantization/definition.ts';
import type { AlgorithmDefinition } from './definition.ts';
import { fastBiasCorrection } from './fast-bias-correction/definition.ts';
import { minMaxQuantization } from './min-max/definition.ts';
import { outlierChannelSplitting } from './outlier-channel-splitting/definition.ts';
import { overflowCorrection } from './overflow-correction/definition.ts';
import { quantNoiseEstimator } from './quant-noise-estimator/definition.ts';
import { ranger, rangeSupervision } from './range-supervision/definition.ts';
import { weightBiasCorrection } from './weight-bias-correction/definition.ts';

export type { Algorithm, AlgorithmContext } from './algorithm.ts';
export {
  type AlgorithmChoice,
  type AlgorithmDefinition,
  createAlgorithms,
  parameterNames,
  type SharedSettings,
} from './definition.ts';
export { type PipelineContext, type PipelineResult, runPipeline } from './pipeline.ts';

export const algorithms: readonly AlgorithmDefinition[] = [
  activationChannelAlignment,
  biasCorrection,
  defaultQuantization,
  fastBiasCorrection,
  minMaxQuantization,
  outlierChannelSplitting,
  overflowCorrection,
  quantNoiseEstimator,
  rangeSupervision,
  ranger,
  weightBiasCorrection,
];
