// Text of a program, one call a line, for people and golden tests.
import { kernelParams } from './kernels.gen.ts';
import type { Buffer, Call, Program } from './program.ts';

/** Stable text: calls with their params (zeros left out) and operands. */
export function dumpProgram(program: Program): string {
  const lines = program.calls.map((call) => {
    const inputs = call.inputs.map((id) => (id === undefined ? '-' : operand(id, program.buffers[id]!))).join(', ');
    const outputs = call.outputs.map((id) => operand(id, program.buffers[id]!)).join(', ');
    return `${call.name}: ${call.kernel}(${inputs}) -> ${outputs} {${params(call)}}`;
  });
  return `${lines.join('\n')}\n`;
}

function operand(id: number, buffer: Buffer): string {
  const kind = buffer.kind === 'temporary' ? '%' : buffer.kind === 'constant' ? '#' : '@';
  return `${kind}${id}:${buffer.type}[${buffer.elements}]`;
}

function params(call: Call): string {
  const fields = (kernelParams as Readonly<Record<string, readonly (readonly [string, string])[]>>)[call.kernel] ?? [];
  const view = new DataView(call.params.buffer, call.params.byteOffset);
  const texts: string[] = [];
  for (const [i, [name, kind]] of fields.entries()) {
    const value =
      kind === 'f'
        ? view.getFloat32(i * 4, true)
        : kind === 'i'
          ? view.getInt32(i * 4, true)
          : view.getUint32(i * 4, true);
    if (value !== 0) texts.push(`${name}=${kind === 'f' ? Number(value.toPrecision(7)) : value}`);
  }
  return texts.join(' ');
}
