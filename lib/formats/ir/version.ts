// Differences between IR versions and producers: version numbers, opset labels.

import { LowpError } from '../../errors/lowp-error.ts';
import type { MetaElement } from '../../graph/model.ts';
import { isNumbered } from '../../ops/registry.ts';

/**
 * The version of `<net>`.
 *
 * @throws {LowpError} `ERR_IR_VERSION` for any other than 10 and 11
 */
export function irVersion(text: string | undefined): 10 | 11 {
  if (text === '10') return 10;
  if (text === '11') return 11;
  const found = text === undefined ? 'no version' : `version ${JSON.stringify(text.slice(0, 20))}`;
  throw new LowpError('ERR_IR_VERSION', `the IR has ${found}, supported are 10 and 11`, {
    help: 'Convert the original model again with a newer OpenVINO, or give its ONNX file.',
  });
}

/** Labels under which old writers stored operations that their opset does not have. */
const corrections: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  opset1: { mvn: 'opset2', roipooling: 'opset2', reorgyolo: 'opset2', shufflechannels: 'opset3' },
  opset2: { shufflechannels: 'opset3' },
};

/** Labels that are not opsets: `extension`, `experimental`, none. Their operations became part of opset6. */
const unnumbered = 'opset6';

/** The opset in which a layer is looked up: its label, corrected. */
export function opsetOf(type: string, label: string | undefined): string {
  if (label === undefined || !isNumbered(label)) return unnumbered;
  return corrections[label]?.[type.toLowerCase()] ?? label;
}

/** The text of `Runtime_version` or `MO_version` in the kept elements of a file. */
export function producerVersion(meta: readonly MetaElement[]): string | undefined {
  for (const wanted of ['Runtime_version', 'MO_version']) {
    for (const group of meta) {
      const found = group.children.find((c) => c.name === wanted || c.attributes.name === wanted);
      if (found?.attributes.value) return found.attributes.value;
    }
  }
  return undefined;
}
