/** What long work reports while it runs. The library itself never writes to the console. */
export type LowpEvent =
  | { readonly kind: 'phase:start'; readonly phase: string; readonly total?: number }
  | { readonly kind: 'phase:progress'; readonly phase: string; readonly done: number; readonly total?: number }
  | { readonly kind: 'phase:done'; readonly phase: string; readonly ms: number }
  | { readonly kind: 'pass:done'; readonly name: string; readonly matches: number; readonly ms: number }
  | { readonly kind: 'warning'; readonly message: string };

export type EventListener = (event: LowpEvent) => void;
