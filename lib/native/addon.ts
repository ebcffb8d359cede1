// What the addon exports.
import type { ProgramType } from '../program/program.ts';
import type { TensorData } from '../tensor/element-type.ts';

/** Instruction-set levels, best last. `avxvnni` is AVX2 with AVX-VNNI, on CPUs without AVX-512. */
export type IsaName = 'scalar' | 'avx2' | 'avxvnni' | 'avx512' | 'vnni' | 'amx';

/** What the machine offers and what is in force. */
export interface CpuInfo {
  /** The level in force: the best one of this machine that is not above `LOWP_MAX_ISA`. */
  readonly isa: IsaName;
  readonly detectedIsa: IsaName;
  /** What `maxIsa` can choose here: the levels of this machine up to `isa`, which is the last. */
  readonly isas: readonly IsaName[];
  readonly brand: string;
  /** Physical cores that this process may keep busy (affinity and CPU quota considered). */
  readonly cores: number;
  readonly l1Bytes: number;
  readonly l2Bytes: number;
  /** 0 when there is none or it is not known. */
  readonly l3Bytes: number;
}

export interface CatalogEntry {
  readonly name: string;
  /** Name in the spelling of C++, and kind. */
  readonly params: readonly (readonly [string, 'u' | 'i' | 'f'])[];
}

export interface NativePort {
  readonly name: string;
  readonly type: ProgramType;
  readonly shape: readonly number[];
  /** An output that every run adds to. */
  readonly accumulates: boolean;
}

/** A call as the runtime will execute it. */
export interface NativeCall {
  readonly name: string;
  readonly kernel: string;
  /** The implementation that was chosen, `<kernel>_<types>_<isa>_<tile>`. */
  readonly row: string;
  /** Arithmetic operations of one run; a multiply-add is two. */
  readonly operations: number;
  readonly packedBytes: number;
}

export interface NativeInfo {
  readonly calls: readonly NativeCall[];
  /** Memory of one session for inputs, outputs and temporary values. */
  readonly arenaBytes: number;
  /** Constants that kernels repacked. */
  readonly packedBytes: number;
  /** Constants that are read as they are. */
  readonly constantBytes: number;
  /**
   * Bytes of both that were in memory already when the program was compiled and are not kept twice: of other programs of
   * this process, in any thread, or of earlier calls.
   */
  readonly foundBytes: number;
  readonly inputs: readonly NativePort[];
  readonly outputs: readonly NativePort[];
}

/** Time of one call since profiling was switched on. */
export interface CallProfile {
  readonly name: string;
  readonly kernel: string;
  readonly row: string;
  readonly runs: number;
  readonly totalNs: number;
  readonly minNs: number;
  readonly operations: number;
  /** Of all operands together. */
  readonly bytes: number;
}

/** The most that one core can do. */
export interface MachinePeaks {
  /** By instruction: 10^9 operations per second, a multiply-add being two. */
  readonly arithmetic: readonly {
    readonly name: string;
    readonly type: 'f32' | 'u8s8';
    /** The first level that has the instructions. */
    readonly isa: IsaName;
    readonly gops: number;
  }[];
  /** Reading in order, by the cache that holds what is read: 10^9 bytes per second. */
  readonly reading: readonly {
    readonly level: 'L1' | 'L2' | 'L3' | 'memory';
    readonly bytes: number;
    readonly gbps: number;
  }[];
  /** Sharing work out: microseconds of a run of the thread pool that does nothing but bring its threads together. */
  readonly forkJoin: readonly {
    readonly threads: number;
    /** Right behind another run, while the workers spin. */
    readonly spinning: LeastAndMedian;
    /** Behind a pause, when the system has to wake the workers. */
    readonly parked: LeastAndMedian;
  }[];
}

export interface LeastAndMedian {
  readonly leastUs: number;
  readonly medianUs: number;
}

export interface NativeCompileOptions {
  /** An upper limit; it cannot raise the level above `CpuInfo.isa`. */
  readonly isa?: IsaName | 'native';
  /** The row of this name wherever it fits. */
  readonly forceRow?: string;
  /** What work is split for; default `CpuInfo.cores`. */
  readonly threads?: number;
}

/**
 * The contract of the binary. Errors are plain `Error`s whose `code` is `invalid`, `unsupported`, `memory`, `aborted`,
 * `closed` or `internal`.
 */
export interface Addon {
  cpuInfo(): CpuInfo;
  kernelCatalog(): CatalogEntry[];
  /** Blocks for a second or two. */
  measurePeaks(isa: IsaName | 'native'): MachinePeaks;
  /** Constants are copied or packed; they may change afterwards. */
  compile(program: Uint8Array, constants: readonly Uint8Array[], options?: NativeCompileOptions): NativeProgram;
}

export interface NativeProgram {
  info(): NativeInfo;
  createSession(options?: { readonly threads?: number }): NativeSession;
  /** Sessions that exist stay usable. */
  dispose(): void;
}

/**
 * One run at a time. Arrays follow the order of the ports and have their type and length; those of outputs that accumulate
 * are looked at by `totals` only, and the others by all but `totals`.
 */
export interface NativeSession {
  /**
   * Inputs are no longer read when it returns. Outputs are written right before the promise resolves, or, with
   * `exclusive`, at any time before: nobody else may resize, transfer or read them until then.
   */
  run(inputs: readonly TensorData[], outputs: readonly TensorData[], exclusive?: boolean): Promise<void>;
  runSync(inputs: readonly TensorData[], outputs: readonly TensorData[]): void;
  /** Copies what outputs have accumulated; not while a run is going on. */
  totals(outputs: readonly TensorData[]): void;
  /** Ends the run that is going on before its next call; it rejects with `aborted`. */
  cancel(): void;
  /** Switching on starts from zero. */
  profile(on: boolean): void;
  profileData(): CallProfile[];
  dispose(): void;
}
