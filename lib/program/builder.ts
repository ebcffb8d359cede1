// Puts a program together, call by call.
import { invariant } from '../errors/assert.ts';
import { LowpError } from '../errors/lowp-error.ts';
import type { TensorData } from '../tensor/element-type.ts';
import { elementCount, type Shape } from '../tensor/shape.ts';
import { type KernelName, type KernelParams, kernelParams } from './kernels.gen.ts';
import type { Buffer, BufferId, Call, Program, ProgramType } from './program.ts';

/** Operands of a call; absent optional inputs are undefined. */
export interface CallOperands {
  readonly name: string;
  readonly in: readonly (BufferId | undefined)[];
  readonly out: readonly BufferId[];
}

/** Collects buffers and calls of a program. */
export class ProgramBuilder {
  private readonly buffers: Buffer[] = [];
  private readonly calls: Call[] = [];
  private readonly constantIds = new Map<TensorData, BufferId>();

  input(name: string, type: ProgramType, shape: Shape): BufferId {
    return this.add({ kind: 'input', type, elements: elementCount(shape), name, shape });
  }

  output(name: string, type: ProgramType, shape: Shape): BufferId {
    return this.add({ kind: 'output', type, elements: elementCount(shape), name, shape });
  }

  temporary(type: ProgramType, elements: number): BufferId {
    return this.add({ kind: 'temporary', type, elements });
  }

  /** The same array gives the same buffer. */
  constant(type: ProgramType, data: TensorData): BufferId {
    const known = this.constantIds.get(data);
    if (known !== undefined) return known;
    const id = this.add({ kind: 'constant', type, elements: data.length, data });
    this.constantIds.set(data, id);
    return id;
  }

  buffer(id: BufferId): Buffer {
    return this.buffers[id]!;
  }

  /** Appends a kernel call. Params not given are 0. */
  call<K extends KernelName>(kernel: K, params: Partial<KernelParams[K]>, operands: CallOperands): void {
    this.calls.push({
      kernel,
      name: operands.name,
      params: encodeParams(kernel, params as Readonly<Record<string, number>>),
      inputs: operands.in,
      outputs: operands.out,
    });
  }

  get isEmpty(): boolean {
    return this.calls.length === 0;
  }

  finish(): Program {
    return { buffers: this.buffers, calls: this.calls };
  }

  private add(buffer: Buffer): BufferId {
    this.buffers.push(buffer);
    return this.buffers.length - 1;
  }
}

/** The params struct of a kernel; what is not given is 0. */
function encodeParams(kernel: KernelName, params: Readonly<Record<string, number>>): Uint8Array {
  const fields: readonly (readonly [string, string])[] = kernelParams[kernel];
  const bytes = new Uint8Array(fields.length * 4);
  const view = new DataView(bytes.buffer);
  let known = 0;
  for (let i = 0; i < fields.length; i++) {
    const [name, kind] = fields[i]!;
    const value = params[name];
    if (value === undefined) continue;
    known++;
    if (kind === 'f') view.setFloat32(i * 4, value, true);
    else {
      requireWord(kernel, name, value, kind === 'u');
      if (kind === 'u') view.setUint32(i * 4, value, true);
      else view.setInt32(i * 4, value, true);
    }
  }
  const given = Object.keys(params).filter((name) => params[name] !== undefined);
  if (given.length !== known) {
    const unknown = given.find((key) => !fields.some(([name]) => name === key));
    invariant(false, `kernel ${kernel} has no parameter ${unknown}`);
  }
  return bytes;
}

function requireWord(kernel: KernelName, name: string, value: number, unsigned: boolean): void {
  if (!Number.isInteger(value)) invariant(false, `kernel ${kernel}: ${name} = ${value} is not an integer`);
  const [least, most] = unsigned ? [0, 2 ** 32 - 1] : [-(2 ** 31), 2 ** 31 - 1];
  if (value >= least && value <= most) return;
  throw new LowpError('ERR_LIMIT_SIZE', `${kernel}: ${name} = ${value} does not fit 32 bits`);
}
