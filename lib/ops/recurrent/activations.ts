// Functions of gates, by the names that OpenVINO and ONNX give them.
import { LowpError } from '../../errors/lowp-error.ts';

/** A function of one element with the parameters alpha and beta. */
interface GateFunction {
  readonly alpha: number;
  readonly beta: number;
  apply(x: number, alpha: number, beta: number): number;
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** Functions with the values that alpha and beta have when none are given. */
const functions: Readonly<Record<string, GateFunction>> = {
  sigmoid: { alpha: 0, beta: 0, apply: sigmoid },
  tanh: { alpha: 0, beta: 0, apply: (x) => Math.tanh(x) },
  relu: { alpha: 0, beta: 0, apply: (x) => Math.max(0, x) },
  affine: { alpha: 1, beta: 0, apply: (x, a, b) => a * x + b },
  leakyrelu: { alpha: 0.01, beta: 0, apply: (x, a) => (x >= 0 ? x : a * x) },
  thresholdedrelu: { alpha: 1, beta: 0, apply: (x, a) => (x > a ? x : 0) },
  scaledtanh: { alpha: 1, beta: 1, apply: (x, a, b) => a * Math.tanh(b * x) },
  hardsigmoid: { alpha: 0.2, beta: 0.5, apply: (x, a, b) => Math.min(1, Math.max(0, a * x + b)) },
  elu: { alpha: 1, beta: 0, apply: (x, a) => (x >= 0 ? x : a * Math.expm1(x)) },
  softsign: { alpha: 0, beta: 0, apply: (x) => x / (1 + Math.abs(x)) },
  softplus: { alpha: 0, beta: 0, apply: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))) },
};

/** Names of all functions, in lower case. */
export const gateFunctionNames: readonly string[] = Object.keys(functions);

/** Alpha and beta of a function when none are given; undefined for an unknown name. */
export function gateDefaults(name: string): { readonly alpha: number; readonly beta: number } | undefined {
  return Object.hasOwn(functions, name.toLowerCase()) ? functions[name.toLowerCase()] : undefined;
}

/** What names the functions of an operation. */
export interface ActivationAttributes {
  readonly activations: readonly string[];
  readonly activations_alpha: readonly number[];
  readonly activations_beta: readonly number[];
}

/**
 * The functions of an operation, in its order; alpha and beta are listed by position, missing ones have defaults.
 *
 * @throws {LowpError} `ERR_OP_ATTRIBUTE` for another number of functions, `ERR_OP_UNSUPPORTED` for an unknown one
 */
export function gateFunctions(a: ActivationAttributes, count: number): ((x: number) => number)[] {
  if (a.activations.length !== count) {
    throw new LowpError('ERR_OP_ATTRIBUTE', `it has ${a.activations.length} activations, expected ${count}`);
  }
  return a.activations.map((name, i) => {
    const found = Object.hasOwn(functions, name.toLowerCase()) ? functions[name.toLowerCase()] : undefined;
    if (!found) {
      throw new LowpError('ERR_OP_UNSUPPORTED', `the activation '${name}' is not known`, {
        help: `Known are ${gateFunctionNames.join(', ')}.`,
      });
    }
    const alpha = a.activations_alpha[i] ?? found.alpha;
    const beta = a.activations_beta[i] ?? found.beta;
    return (x: number) => found.apply(x, alpha, beta);
  });
}
