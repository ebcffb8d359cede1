// The public surface of lowp.
export { type AlgorithmChoice, type AlgorithmDefinition, algorithms } from './algorithms/index.ts';
export type { QuantNoiseOptions } from './algorithms/quant-noise-estimator/algorithm.ts';
export type { LayerNoise, QuantNoise } from './algorithms/quant-noise-estimator/noise.ts';
export { type BenchmarkOptions, benchmark, type ModelBenchmark } from './benchmark/run.ts';
export type { Dataset, Geometry, InputInfo, Sample } from './data/dataset.ts';
export { type ImageDefaults, imageDefaults } from './data/image-defaults.ts';
export { type DataOptions, type OpenedData, openData } from './data/open.ts';
export { sampleDataset } from './data/sampling.ts';
export type { Truths } from './data/truths.ts';
export type {
  CompileOptions,
  Engine,
  Executable,
  Feeds,
  Observation,
  ObservePoint,
  RunResult,
} from './engines/engine.ts';
export { nativeEngine } from './engines/native-engine.ts';
export { referenceEngine } from './engines/reference-engine.ts';
export { compile, Session, type SessionOptions } from './engines/session.ts';
export { type CodeEntry, codes, type ErrorCode } from './errors/codes.ts';
export { LowpError } from './errors/lowp-error.ts';
export { type EvaluateOptions, type Evaluation, evaluate } from './evaluation/evaluate.ts';
export type { EventListener, LowpEvent } from './events/events.ts';
export { openModel } from './formats/open.ts';
export { saveModel } from './formats/save.ts';
export { inputName, Model, outputName } from './graph/model.ts';
export { findMetric, type Metric, type MetricRun, type Truth } from './metrics/index.ts';
export { cpuInfo } from './native/cpu-info.ts';
export * as attribute from './ops/attribute.ts';
export { defineOp, type OpDef, registerOp } from './ops/index.ts';
export { reshape } from './ops/infer-model.ts';
export { findPostprocessor, type Postprocessor } from './predictions/index.ts';
export { type QuantizeOptions, type QuantizeReport, quantize } from './quantize.ts';
export { readStatistics, writeStatistics } from './statistics/statistics-file.ts';
export { StatisticsStore } from './statistics/store.ts';
export {
  type Granularity,
  type Mode,
  type OperationRow,
  type QuantizerChoice,
  type TargetDescription,
  targetOf,
  targets,
} from './targets/index.ts';
export type { ElementType, TensorData } from './tensor/element-type.ts';
export { readNpy, readNpz, writeNpy } from './tensor/npy.ts';
export type { Shape } from './tensor/shape.ts';
export { stringTensor, toStrings } from './tensor/strings.ts';
export { scalar, type Tensor, tensor, zeros } from './tensor/tensor.ts';
