import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { readIr } from '../../../lib/formats/ir/read.ts';
import { writeIr } from '../../../lib/formats/ir/write.ts';
import { childOf, childrenOf, parseXml } from '../../../lib/formats/ir/xml.ts';
import { verify } from '../../../lib/graph/verify.ts';
import { isStatic } from '../../../lib/tensor/shape.ts';
import { assertSameModel } from '../../support/same-model.ts';
import { sharedFolder } from '../../support/shared-folder.ts';

const { path: folder, skip } = sharedFolder('irs');
const files = skip ? [] : readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((f) => f.endsWith('.xml'));

interface Declared {
  readonly type: string;
  readonly shapes: readonly (readonly number[])[];
}

/** Types and output shapes as the file says them, by layer name. -1 is a dynamic dimension. */
function declaredLayers(xml: Uint8Array): Map<string, Declared> {
  const layers = childrenOf(childOf(parseXml(xml), 'layers'), 'layer');
  return new Map(
    layers.map((l) => [
      l.attributes.name!,
      {
        type: l.attributes.type!,
        shapes: childrenOf(childOf(l, 'output'), 'port').map((p) => childrenOf(p, 'dim').map((d) => Number(d.text))),
      },
    ]),
  );
}

/** Operations whose output sizes depend on data; version 10 declares the largest possible ones. */
const dataDependent = new Set(['NonZero', 'NonMaxSuppression']);

describe('real IRs', { skip }, () => {
  for (const file of files) {
    const xmlPath = path.join(folder, file);
    const binPath = xmlPath.replace(/xml$/, 'bin');
    it(`reads ${file}, and writes it so that it reads back equal`, () => {
      const xml = readFileSync(xmlPath);
      const bin = existsSync(binPath) ? readFileSync(binPath) : undefined;
      const declared = declaredLayers(xml);
      const model = readIr(xml, bin);
      verify(model);
      const isDynamic = model.parameters().some((p) => !isStatic(p.output.fact.shape));
      const comparable = ![...declared.values()].some((l) => dataDependent.has(l.type));
      for (const node of comparable ? model.nodes() : []) {
        if (node.type === 'Result') continue;
        for (const [i, expected] of declared.get(node.name)!.shapes.entries()) {
          const found = node.outputs[i]!.fact.shape;
          const where = `${node.type} ${node.name}: inferred ${found}, declared ${expected}`;
          assert.equal(found.length, expected.length, where);
          assert.ok(
            found.every((d, axis) => d === expected[axis] || (isDynamic && d === -1)),
            where,
          );
        }
      }
      const first = writeIr(model);
      const again = readIr(first.xml, first.bin);
      if (model.irVersion === 11) assertSameModel(again, model);
      const second = writeIr(again);
      assert.equal(second.xml, first.xml);
      assert.ok(Buffer.from(second.bin).equals(first.bin));
    });
  }
});
