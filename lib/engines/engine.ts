// What every engine offers: models compiled, run and observed.
import type { Model } from '../graph/model.ts';
import type { OutputPort } from '../graph/node.ts';
import type { Shape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Variables } from './variables.ts';

/** Tensors by input name. */
export type Feeds = Readonly<Record<string, Tensor>>;

/** A value of the model to be reduced while it flows by; the value itself never reaches JavaScript. */
export interface ObservePoint {
  readonly port: OutputPort;
  /** One number for the whole value, or one for each index of `channelAxis`. */
  readonly granularity: 'perTensor' | 'perChannel';
  /** Default 1; negative counts from the end. */
  readonly channelAxis?: number;
  /** Equal parts of axis 0 that are reduced apart: the samples of a batch. Default 1; divides that axis. */
  readonly items?: number;
  /** Elements to find besides the extremes. */
  readonly quantiles?: readonly QuantilePoint[];
  /** Whether the mean is asked for; without it `Observation.mean` says nothing. Default true. */
  readonly mean?: boolean;
  /** Count the elements of each item, of all channels together, by their size: {@link Executable.histograms}. */
  readonly histogram?: boolean;
}

/** The element below which a share of all elements (or of their magnitudes) lies. */
export interface QuantilePoint {
  /** From 0 to 1. */
  readonly share: number;
  readonly isAbsolute: boolean;
}

/** The reduction of one value over one run; arrays have one element per item, or one per item and channel. */
export interface Observation {
  readonly min: Float32Array;
  readonly max: Float32Array;
  readonly absMax: Float32Array;
  /** Summed in doubles, in memory order of a channels-last tensor. */
  readonly mean: Float32Array;
  /**
   * In the order of `ObservePoint.quantiles`: linear interpolation, in double, between the neighbours of position
   * `share · (n − 1)` in ascending order, as numpy does.
   */
  readonly quantiles: readonly Float32Array[];
  /** 0 when all elements are finite. Otherwise how many are not, or how many lie in parts that were left out for them. */
  readonly nonFinite: number;
}

/** What a model is compiled for, and what is asked of it besides its outputs. */
export interface CompileOptions {
  /** Of all streams together. Default: the physical cores that this process may use. */
  readonly threads?: number;
  /** Runs that may go on at the same time, each on its share of the threads; weights are packed once. Default 1. */
  readonly streams?: number;
  readonly maxIsa?: 'scalar' | 'avx2' | 'avxvnni' | 'avx512' | 'vnni' | 'amx' | 'native';
  /** Quantizers round floats and every product is one of floats, where the engine would run on bytes. */
  readonly simulate?: boolean;
  /** Shapes of dynamic inputs, by input name. */
  readonly shapes?: Readonly<Record<string, Shape>>;
  readonly observe?: readonly ObservePoint[];
  /**
   * False when only observations and taps are read: outputs may be left out of `RunResult.outputs`, and with them what
   * nothing else depends on. Default true.
   */
  readonly outputs?: boolean;
  /**
   * No more than two runs go on at a time, and each may write over the arrays that the last but one before it returned:
   * thousands of runs then leave nothing behind for the collector. Default false.
   */
  readonly overwrites?: boolean;
  /** Values to return besides the outputs, in the model's own layout. */
  readonly taps?: readonly OutputPort[];
  readonly signal?: AbortSignal;
}

/** What one run gives. */
export interface RunResult {
  /** By output name. */
  readonly outputs: Record<string, Tensor>;
  /** In the order of `CompileOptions.observe`. */
  readonly observations: readonly Observation[];
  /** In the order of `CompileOptions.taps`. */
  readonly taps: readonly Tensor[];
}

/** What one run may be given besides its feeds. */
export interface RunOptions {
  readonly signal?: AbortSignal;
  /** Read and written by the run; without them variables begin with their initial values. */
  readonly variables?: Variables;
}

/** A model made ready to run; safe to call again and again, also before earlier runs have ended. */
export interface Executable extends AsyncDisposable {
  /** Runs that go on at the same time; further ones wait. */
  readonly streams: number;
  run(feeds: Feeds, options?: RunOptions): Promise<RunResult>;
  /**
   * How many elements of all runs so far lie in each of the `floatBins`, for each item, in the order of
   * `CompileOptions.observe`; undefined where it was not asked for. Waits for runs that are going on; behind a run that
   * failed or was aborted it means nothing.
   */
  histograms(): Promise<readonly (Float64Array | undefined)[]>;
  close(): Promise<void>;
}

/** A way to run models: the native runtime, or the reference in doubles. */
export interface Engine {
  readonly name: string;
  compile(model: Model, options?: CompileOptions): Promise<Executable>;
}
