// Which steps the epilogue of a kernel accepts behind each other.
import type { RuntimeTraits } from '../ops/define-op.ts';
import { isPerChannel } from './format.ts';
import type { ChainStep } from './fuse-post-ops.ts';

/** Takes one step after the other; false for the first that does not fit. */
export interface EpilogueGrammar {
  take(step: ChainStep): boolean;
}

/** What the steps depend on. */
export interface GrammarOptions {
  /** The kernel can store bytes. */
  readonly bytes: boolean;
  /** A rounding may have one scale for each index of axis 1. */
  readonly acceptsChannels: boolean;
}

type Kind = RuntimeTraits['epilogue'];

/** Kinds of epilogue that take each step at all. */
const takers: Readonly<Record<ChainStep['kind'], readonly Kind[]>> = {
  scale: ['multiply', 'normalize', 'affine'],
  bias: ['product', 'multiply', 'normalize', 'affine'],
  add: ['product', 'multiply'],
  clamp: ['product', 'multiply', 'clamp'],
  quantize: ['product', 'multiply', 'normalize', 'clamp', 'round', 'affine', 'store'],
};

/**
 * Steps in order:
 * - product on bytes: bias? clamp? (quantize, then add)? add? clamp? quantize?
 * - product on floats: bias? (add)? clamp?
 * - multiply, a product of two computed matrices: scale by numbers, add? (of anything that is repeated along the front
 *   axes, a bias too) clamp? quantize?
 * - normalize: scale? bias? quantize?
 * - clamp: clamp? quantize? (bytes only)
 * - affine: scale? bias? (one number each) quantize?
 * - round, store: quantize? (round: all 256 levels)
 *
 * A clamp in front of an add is accepted only when a quantize stands between them. Scales for each index of axis 1 need
 * a product whose channels are that axis, and no sum.
 */
export function epilogueGrammar(epilogue: Kind, { bytes, acceptsChannels }: GrammarOptions): EpilogueGrammar {
  const seen = { scale: false, bias: false, clamp: false, quantize: false, channels: false, add: false };
  const fits = (values: Float32Array): boolean => epilogue !== 'affine' || values.length === 1;
  const rules: { readonly [K in ChainStep['kind']]: (step: Extract<ChainStep, { kind: K }>) => boolean } = {
    scale: (step) =>
      epilogue === 'multiply'
        ? step.values.length === 1 && !seen.bias && !seen.add && !seen.clamp && !seen.quantize
        : !seen.scale && !seen.bias && !seen.quantize && fits(step.values),
    bias: (step) => !seen.bias && !seen.clamp && !seen.quantize && !seen.add && fits(step.values),
    add: (step) =>
      epilogue === 'multiply'
        ? !seen.add && !seen.bias && !seen.clamp && !seen.quantize
        : !step.broadcast && !seen.add && !seen.channels && (!seen.clamp || seen.quantize),
    clamp: () => !seen.clamp && !seen.quantize,
    quantize: (step) => {
      if (!bytes || seen.quantize) return false;
      if (isPerChannel(step.format) && (!acceptsChannels || seen.add)) return false;
      return epilogue !== 'round' || step.format.high === 255;
    },
  };
  return {
    take(step) {
      const rule = rules[step.kind] as (step: ChainStep) => boolean;
      if (!takers[step.kind].includes(epilogue) || !rule(step)) return false;
      if (step.kind === 'add') Object.assign(seen, { clamp: false, quantize: false });
      if (step.kind === 'quantize') seen.channels = isPerChannel(step.format);
      seen[step.kind] = true;
      return true;
    },
  };
}
