import type { Tensor } from '../tensor/tensor.ts';

/** Collects one number from outputs and ground truth, sample by sample. */
export interface MetricRun {
  /**
   * @param outputs  of one sample, by output name
   * @param label    class of the sample
   */
  update(outputs: Readonly<Record<string, Tensor>>, label: number): void;
  /** Fractions, not percent; NaN before the first update. */
  value(): number;
}

export interface Metric {
  readonly name: string;
  readonly direction: 'higher' | 'lower';
  create(): MetricRun;
}
