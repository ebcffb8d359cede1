/** Every case of every operation. */
import { colorCases } from './color.ts';
import { detectionCases } from './detection.ts';
import { elementwiseCases } from './elementwise.ts';
import { indexingCases } from './indexing.ts';
import { movementCases } from './movement.ts';
import type { OpCase } from './op-case.ts';
import { quantizationCases } from './quantization.ts';
import { rareCases } from './rare.ts';
import { replay } from './recorded-case.ts';
import { recurrentCases } from './recurrent.ts';
import { regionCases } from './regions.ts';
import { rotatedCases } from './rotated.ts';
import { signalCases } from './signal.ts';
import { stringCases } from './strings.ts';
import { torchCases } from './torch.gen.ts';
import { windowCases } from './window.ts';

export const opCases: readonly OpCase[] = [
  ...elementwiseCases,
  ...movementCases,
  ...indexingCases,
  ...quantizationCases,
  ...signalCases,
  ...windowCases,
  ...detectionCases,
  ...recurrentCases,
  ...rareCases,
  ...regionCases,
  ...rotatedCases,
  ...colorCases,
  ...stringCases,
  ...torchCases.map(replay),
];
