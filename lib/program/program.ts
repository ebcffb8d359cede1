// What the native side runs: kernel calls over numbered buffers.
import type { ElementType, TensorData } from '../tensor/element-type.ts';
import type { Shape } from '../tensor/shape.ts';

/** Index into `Program.buffers`. */
export type BufferId = number;

/** Element types that a program may hold, in the order of the native `ElementType`. */
export const programTypes = [
  'f32',
  'u8',
  'i8',
  'i32',
  'i64',
  'f16',
  'i16',
  'boolean',
] as const satisfies readonly ElementType[];
/** An element type of a program. */
export type ProgramType = (typeof programTypes)[number];

/** True for the element types that a program may hold. */
export function isProgramType(type: ElementType): type is ProgramType {
  return programTypes.some((t) => t === type);
}

/** A value fed or returned. */
export interface PortBuffer {
  readonly kind: 'input' | 'output';
  readonly type: ProgramType;
  readonly elements: number;
  readonly name: string;
  readonly shape: Shape;
}

/** Memory that calls read and write. Geometry lives in the params of calls; a buffer only has a number of elements. */
export type Buffer =
  | PortBuffer
  | { readonly kind: 'constant'; readonly type: ProgramType; readonly elements: number; readonly data: TensorData }
  | { readonly kind: 'temporary'; readonly type: ProgramType; readonly elements: number };

/** One kernel call. An absent optional operand is undefined. */
export interface Call {
  readonly kernel: string;
  /** The node it computes, for profiles and messages. */
  readonly name: string;
  /** Little-endian params struct of the kernel. */
  readonly params: Uint8Array;
  readonly inputs: readonly (BufferId | undefined)[];
  readonly outputs: readonly BufferId[];
}

/** Kernel calls over numbered buffers, in order: all that the native runtime needs to know. */
export interface Program {
  readonly buffers: readonly Buffer[];
  readonly calls: readonly Call[];
}
