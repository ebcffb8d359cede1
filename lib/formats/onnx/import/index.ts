/** The list of all importers: one line per family. */
import { mergeTables } from '../merge-tables.ts';
import { activationImporters } from './activation.ts';
import { attentionImporters } from './attention.ts';
import { constantImporters } from './constants.ts';
import { convolutionImporters } from './convolution.ts';
import { detectionImporters } from './detection.ts';
import { elementwiseImporters } from './elementwise.ts';
import type { Importer } from './import-node.ts';
import { integerImporters } from './integer.ts';
import { linearImporters } from './linear.ts';
import { microsoftImporters } from './microsoft.ts';
import { movementImporters } from './movement.ts';
import { normalizationImporters } from './normalization.ts';
import { pickingImporters } from './picking.ts';
import { poolingImporters } from './pooling.ts';
import { quantizationImporters } from './quantization.ts';
import { recurrentImporters } from './recurrent.ts';
import { reductionImporters } from './reduction.ts';
import { resizeImporters } from './resize.ts';
import { signalImporters } from './signal.ts';
import { slicingImporters } from './slicing.ts';

/** Importers by ONNX operator; one of another domain is listed as `domain::operator`. */
export const importers: ReadonlyMap<string, Importer> = mergeTables([
  convolutionImporters,
  poolingImporters,
  linearImporters,
  activationImporters,
  normalizationImporters,
  elementwiseImporters,
  reductionImporters,
  movementImporters,
  slicingImporters,
  constantImporters,
  resizeImporters,
  detectionImporters,
  quantizationImporters,
  recurrentImporters,
  integerImporters,
  attentionImporters,
  microsoftImporters,
  pickingImporters,
  signalImporters,
]);
