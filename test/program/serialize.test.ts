import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { compileProgram } from '../../lib/native/executable.ts';
import { ProgramBuilder } from '../../lib/program/builder.ts';
import { type Program, programTypes } from '../../lib/program/program.ts';
import { programMagic, programVersion, serialize } from '../../lib/program/serialize.ts';

const absent = 0xffffffff;

/** A reader of the documented layout, written from the documentation alone. */
function parse(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const word = (): number => {
    at += 4;
    return view.getUint32(at - 4, true);
  };
  const list = (count: number): number[] => Array.from({ length: count }, word);
  const [magic, version, stringCount, bufferCount, callCount] = list(5);
  const strings = Array.from({ length: stringCount! }, () => {
    const length = word();
    const text = new TextDecoder().decode(bytes.subarray(at, at + length));
    at += Math.ceil(length / 4) * 4;
    return text;
  });
  const buffers = Array.from({ length: bufferCount! }, () => {
    const [kind, type, low, high, name, constant] = list(6);
    return { kind, type, elements: low! + high! * 2 ** 32, name: strings[name!], constant, shape: list(word()) };
  });
  const calls = Array.from({ length: callCount! }, () => {
    const [kernel, name] = list(2);
    const inputs = list(word());
    const outputs = list(word());
    const length = word();
    at += length;
    return {
      kernel: strings[kernel!],
      name: strings[name!],
      inputs,
      outputs,
      params: [...bytes.subarray(at - length, at)],
    };
  });
  return { magic, version, buffers, calls, end: at };
}

/** What the parser should find. */
function expected(program: Program) {
  let constants = 0;
  const buffers = program.buffers.map((b) => {
    const isPort = b.kind === 'input' || b.kind === 'output';
    return {
      kind: ['input', 'output', 'constant', 'temporary'].indexOf(b.kind),
      type: programTypes.indexOf(b.type),
      elements: b.elements,
      name: isPort ? b.name : undefined,
      constant: b.kind === 'constant' ? constants++ : absent,
      shape: isPort ? [...b.shape] : [],
    };
  });
  const calls = program.calls.map((c) => ({
    kernel: c.kernel,
    name: c.name,
    inputs: c.inputs.map((id) => id ?? absent),
    outputs: [...c.outputs],
    params: [...c.params],
  }));
  return { magic: programMagic, version: programVersion, buffers, calls };
}

function check(program: Program): void {
  const { bytes } = serialize(program);
  const { end, ...found } = parse(bytes);
  assert.equal(end, bytes.length);
  assert.deepEqual(found, expected(program));
}

test('a program of no calls has a header and its buffers', () => {
  const b = new ProgramBuilder();
  b.input('x', 'f32', []);
  check(b.finish());
  check(new ProgramBuilder().finish());
});

test('the first bytes spell LOWP', () => {
  const { bytes } = serialize(new ProgramBuilder().finish());
  assert.equal(new TextDecoder().decode(bytes.subarray(0, 4)), 'LOWP');
});

test('random programs can be read by the documentation', () => {
  const name = fc.string({ unit: 'grapheme', maxLength: 9 });
  const type = fc.constantFrom(...programTypes);
  fc.assert(
    fc.property(
      fc.array(
        fc.tuple(fc.constantFrom('input', 'output', 'temporary'), name, type, fc.array(fc.nat(9), { maxLength: 4 })),
        {
          minLength: 1,
          maxLength: 6,
        },
      ),
      fc.array(
        fc.tuple(
          name,
          fc.array(fc.option(fc.nat(5), { nil: undefined }), { maxLength: 4 }),
          fc.array(fc.nat(5), { maxLength: 2 }),
          fc.nat(),
        ),
      ),
      (buffers, calls) => {
        const b = new ProgramBuilder();
        for (const [kind, text, of, shape] of buffers) {
          if (kind === 'input') b.input(text, of, shape);
          else if (kind === 'output') b.output(text, of, shape);
          else b.temporary(of, 2 ** 33 + shape.length);
        }
        b.constant('i8', Int8Array.of(1, 2, 3));
        for (const [text, inputs, outputs, elements] of calls)
          b.call('fill', { elements }, { name: text, in: inputs, out: outputs });
        check(b.finish());
      },
    ),
  );
});

test('constants are views of the arrays that were given', () => {
  const b = new ProgramBuilder();
  const data = Float32Array.of(9, 1, 2).subarray(1);
  b.constant('f32', data);
  const { constants } = serialize(b.finish());
  assert.deepEqual(
    constants.map((c) => [c.buffer === data.buffer, c.byteOffset, c.byteLength]),
    [[true, 4, 8]],
  );
});

test('the native side reads ports back', async () => {
  const b = new ProgramBuilder();
  const [x, y] = [b.input('größe', 'u8', [2, 3]), b.output('výstup', 'f32', [6])];
  b.call('convert', { elements: 6 }, { name: 'c', in: [x], out: [y] });
  await using executable = compileProgram(b.finish());
  assert.deepEqual(executable.info.inputs, [{ name: 'größe', type: 'u8', shape: [2, 3], accumulates: false }]);
  assert.deepEqual(executable.info.outputs, [{ name: 'výstup', type: 'f32', shape: [6], accumulates: false }]);
});
