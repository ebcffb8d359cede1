import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { limits } from '../../../lib/errors/limits.ts';
import { decodeModel } from '../../../lib/formats/onnx/decode.ts';
import { ModelProtoSchema, type TypeProto } from '../../../lib/formats/onnx/onnx_pb.ts';
import { random } from '../../../lib/util/random.ts';
import { mutateBytes } from '../../support/fuzz/mutate-bytes.ts';
import { onnxSeeds } from '../../support/fuzz/seed-models.ts';
import { sharedFolder } from '../../support/shared-folder.ts';

const options = { readUnknownFields: false, recursionLimit: limits.onnxDepth.value };

/** The message as plain values: absent fields are left out, whichever reader made it. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(plain);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, v]) => v !== undefined)
      .map(([k, v]) => [k, plain(v)]),
  );
}

function result(read: () => unknown): unknown {
  try {
    return plain(read());
  } catch {
    return 'refused';
  }
}

/** Both readers give the same message, or refuse the bytes. */
function same(bytes: Uint8Array, what: string): unknown {
  const ours = result(() => decodeModel(bytes));
  assert.deepEqual(
    ours,
    result(() => fromBinary(ModelProtoSchema, bytes, options)),
    what,
  );
  return ours;
}

const models = sharedFolder('models');

test('reads every message as the descriptors do', { skip: models.skip }, () => {
  for (const name of readdirSync(models.path).filter((file) => file.endsWith('.onnx'))) {
    const bytes = readFileSync(path.join(models.path, name));
    assert.notEqual(same(new Uint8Array(bytes), name), 'refused');
  }
});

test('reads small models, and refuses or reads damaged ones, as the descriptors do', () => {
  for (const [i, { name, bytes }] of onnxSeeds().entries()) {
    assert.notEqual(same(bytes, name), 'refused');
    same(mutateBytes(bytes, random(i)), `${name}, damage of random(${i})`);
  }
});

test('reads all fields, packed or not, and a message in two parts', () => {
  const type: TypeProto = create(ModelProtoSchema, {
    graph: {
      input: [{ type: { tensorType: { elemType: 1, shape: { dim: [{ value: { case: 'dimValue', value: 3n } }] } } } }],
    },
  }).graph!.input[0]!.type!;
  const proto = create(ModelProtoSchema, {
    irVersion: 8n,
    producerName: 'p',
    producerVersion: '1',
    domain: 'd',
    modelVersion: -1n,
    docString: 'é',
    opsetImport: [{ domain: 'a', version: 13n }],
    metadataProps: [{ key: 'k', value: 'v' }],
    functions: [
      {
        name: 'f',
        input: ['x'],
        output: ['y'],
        attribute: ['a'],
        node: [{ opType: 'Relu', docString: 'n', domain: 'm', attribute: [{ name: 'r', refAttrName: 'a' }] }],
        opsetImport: [{ version: 7n }],
        domain: 'd',
        attributeProto: [{ name: 'b', f: 0.5, i: -3n, s: Uint8Array.of(1), type: 1 }],
        overload: 'o',
      },
    ],
    graph: {
      name: 'g',
      docString: 'doc',
      sparseInitializer: [Uint8Array.of(1, 2)],
      node: [
        {
          input: ['x', ''],
          output: ['y'],
          attribute: [
            {
              floats: [1, -2],
              ints: [1n, -(2n ** 63n)],
              strings: [Uint8Array.of(65)],
              t: { dims: [2n] },
              g: { name: 'h' },
            },
          ],
        },
      ],
      initializer: [
        {
          name: 'w',
          dims: [1n, 2n],
          dataType: 1,
          floatData: [0.5],
          int32Data: [-1],
          stringData: [Uint8Array.of(66)],
          int64Data: [-1n],
          rawData: Uint8Array.of(1, 2, 3),
          doubleData: [1e300],
          uint64Data: [2n ** 64n - 1n],
          externalData: [{ key: 'location', value: 'w.bin' }],
          dataLocation: 1,
        },
      ],
      input: [{ name: 's', type: { sequenceType: { elemType: type } } }],
      output: [
        { name: 'o', type: { optionalType: { elemType: type } } },
        { type: { tensorType: { shape: { dim: [{ value: { case: 'dimParam', value: 'N' } }, {}] } } } },
      ],
    },
  });
  const bytes = toBinary(ModelProtoSchema, proto);
  assert.deepEqual(same(bytes, 'all fields'), plain(proto));
  const more = toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, { graph: { name: 'again', node: [{ name: 'last' }] } }),
  );
  same(Uint8Array.of(...bytes, ...more), 'two parts');
  // dims 1 and 2 packed, where the schema writes them one by one.
  same(Uint8Array.of(0x3a, 6, 0x2a, 4, 0x0a, 2, 1, 2), 'packed dims');
  same(Uint8Array.of(0x3a, 7, 0x2a, 5, 0x25, 0, 0, 0, 0x3f), 'a float that is not packed');
});

test('skips fields that it does not know, groups too, and bounds both kinds of depth', () => {
  same(Uint8Array.of(0xa3, 6, 0x08, 1, 0xa4, 6, 0x08, 3), 'a group');
  const nested = (depth: number): Uint8Array => {
    let body = Uint8Array.of();
    const head = (tag: number) => [
      tag,
      ...(body.length < 128 ? [body.length] : [(body.length & 127) | 128, body.length >> 7]),
    ];
    for (let i = 0; i < depth; i++) {
      body = Uint8Array.of(...head(0x32), ...body);
      body = Uint8Array.of(...head(0x2a), ...body);
      body = Uint8Array.of(...head(0x0a), ...body);
    }
    return Uint8Array.of(...head(0x3a), ...body);
  };
  assert.notEqual(same(nested(20), 'nested 20 deep'), 'refused');
  assert.equal(same(nested(22), 'nested 22 deep'), 'refused');
  assert.equal(same(new Uint8Array(300).fill(0xa3), 'groups'), 'refused');
});
