/** Filled in by the lowering driver. */
export interface LowerContext {
  readonly kind: 'lowering';
}
