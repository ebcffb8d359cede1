import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LowpError } from '../../lib/errors/lowp-error.ts';
import {
  chooseByPreset,
  completeChoice,
  intersectChoices,
  pinChoices,
  resolvePreset,
} from '../../lib/quantization/configuration.ts';
import { choices, type QuantizerChoice, rowOf, targetOf } from '../../lib/targets/index.ts';

const perTensor = choices([8], ['symmetric', 'asymmetric'], 'perTensor');
const perChannel = choices([8], ['symmetric', 'asymmetric'], 'perChannel');
const weights: QuantizerChoice[] = [
  ...choices([8], ['symmetric'], 'perChannel', { levelLow: -127, levelHigh: 127 }),
  ...choices([8], ['asymmetric'], 'perChannel'),
];

describe('the preset', () => {
  it('takes symmetric activations for performance and asymmetric ones for mixed', () => {
    assert.equal(chooseByPreset(perTensor, 'activations', 'performance')?.mode, 'symmetric');
    assert.equal(chooseByPreset(perTensor, 'activations', 'mixed')?.mode, 'asymmetric');
  });

  it('takes symmetric weights for both, and the most accurate ones for accuracy', () => {
    assert.equal(chooseByPreset(weights, 'weights', 'mixed')?.mode, 'symmetric');
    assert.equal(chooseByPreset(weights, 'weights', 'accuracy')?.mode, 'asymmetric');
  });

  it('is renamed from accuracy to mixed on processors, with a warning, and kept on the NPU', () => {
    const warnings: string[] = [];
    assert.equal(
      resolvePreset('accuracy', targetOf('CPU'), (m) => warnings.push(m)),
      'mixed',
    );
    assert.equal(warnings.length, 1);
    assert.equal(
      resolvePreset('accuracy', targetOf('NPU'), (m) => warnings.push(m)),
      'accuracy',
    );
    assert.equal(warnings.length, 1);
  });

  it('is refused when it is unknown', () => {
    assert.throws(
      () => resolvePreset('best', targetOf('CPU'), () => undefined),
      (e) => e instanceof LowpError && e.code === 'ERR_CONFIG_INVALID',
    );
  });
});

describe('the grid', () => {
  const levels = (choice: Partial<QuantizerChoice>, group: 'weights' | 'activations'): number =>
    completeChoice({ bits: 8, mode: 'symmetric', granularity: 'perTensor', ...choice }, group).levels;

  it('has 256 levels for activations and 255 for symmetric weights', () => {
    assert.equal(levels({}, 'activations'), 256);
    assert.equal(levels({}, 'weights'), 255);
    assert.equal(levels({ mode: 'asymmetric' }, 'weights'), 256);
    assert.equal(levels({ bits: 4 }, 'weights'), 15);
    assert.equal(levels({ bits: 16, levelLow: -32768, levelHigh: 32767 }, 'activations'), 65536);
  });

  it('is signed only when both ends are given and the lower one is negative', () => {
    assert.equal(completeChoice(perTensor[0]!, 'activations').isSigned, false);
    assert.equal(completeChoice(weights[0]!, 'weights').isSigned, true);
  });
});

describe('intersection of consumers', () => {
  it('keeps what all accept, in the order of the first', () => {
    assert.deepEqual(intersectChoices([perTensor, [perTensor[1]!]]), [perTensor[1]]);
  });

  it('weakens per-channel to per-tensor when nothing agrees', () => {
    const common = intersectChoices([perTensor, perChannel]);
    assert.ok(common.length > 0);
    assert.ok(common.every((c) => c.granularity === 'perTensor'));
  });

  it('takes the smaller number of bits, or the primary one', () => {
    const wide = choices([16], ['symmetric'], 'perTensor');
    const narrow = choices([8], ['symmetric'], 'perTensor');
    assert.equal(intersectChoices([wide, narrow])[0]?.bits, 8);
    assert.equal(intersectChoices([wide, narrow], 16)[0]?.bits, 16);
  });

  it('keeps the places of equal choices, so that 4 bits between 8 and 8 are never last', () => {
    const row = rowOf(targetOf('NPU'), 'Convolution')!.activations!;
    const common = intersectChoices([row, row]);
    assert.deepEqual(
      common.map((c) => c.bits),
      [8, 4, 8],
    );
  });

  it('offers weaker forms in the order of the list, the symmetric one per tensor first', () => {
    const only = choices([8], ['asymmetric'], 'perChannel');
    const common = intersectChoices([only, perTensor]);
    assert.deepEqual(
      common.map((c) => [c.mode, c.granularity]),
      [
        ['symmetric', 'perTensor'],
        ['asymmetric', 'perTensor'],
      ],
    );
  });

  it('is empty when modes can never agree', () => {
    const asymmetricOnly = choices([8], ['asymmetric'], 'perTensor');
    assert.deepEqual(intersectChoices([[], asymmetricOnly]), []);
  });
});

describe('pinned values', () => {
  it('filter the choices', () => {
    assert.deepEqual(pinChoices(perTensor, { mode: 'asymmetric' }), [perTensor[1]]);
  });

  it('are taken as they are when the device offers none', () => {
    const warnings: string[] = [];
    assert.deepEqual(
      pinChoices(perTensor, { bits: 4 }, (m) => warnings.push(m)),
      [{ ...perTensor[0], bits: 4 }],
    );
    assert.match(warnings.join(), /no configuration with bits 4/);
  });
});
