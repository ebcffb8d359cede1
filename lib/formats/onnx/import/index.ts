/** The list of all importers: one line per family. */
import { activationImporters } from './activation.ts';
import { constantImporters } from './constants.ts';
import { convolutionImporters } from './convolution.ts';
import { detectionImporters } from './detection.ts';
import { elementwiseImporters } from './elementwise.ts';
import type { Importer } from './import-node.ts';
import { linearImporters } from './linear.ts';
import { movementImporters } from './movement.ts';
import { normalizationImporters } from './normalization.ts';
import { poolingImporters } from './pooling.ts';
import { quantizationImporters } from './quantization.ts';
import { recurrentImporters } from './recurrent.ts';
import { reductionImporters } from './reduction.ts';
import { resizeImporters } from './resize.ts';
import { slicingImporters } from './slicing.ts';

/** Importers by ONNX operator of the default domain. */
export const importers: ReadonlyMap<string, Importer> = new Map(
  [
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
  ].flatMap((table) => Object.entries(table)),
);
