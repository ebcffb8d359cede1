/** The list of all exporters: one line per family. */
import { mergeTables } from '../merge-tables.ts';
import { activationExporters } from './activation.ts';
import { arrangingExporters } from './arranging.ts';
import { controlExporters } from './control.ts';
import { convertExporters } from './convert.ts';
import { convolutionExporters } from './convolution.ts';
import { detectionExporters } from './detection.ts';
import { elementwiseExporters } from './elementwise.ts';
import type { Exporter } from './export-node.ts';
import { linearExporters } from './linear.ts';
import { movementExporters } from './movement.ts';
import { normalizationExporters } from './normalization.ts';
import { pickingExporters } from './picking.ts';
import { poolingExporters } from './pooling.ts';
import { quantizationExporters } from './quantization.ts';
import { recurrentExporters } from './recurrent.ts';
import { reductionExporters } from './reduction.ts';
import { resizeExporters } from './resize.ts';
import { sequenceExporters } from './sequence.ts';
import { slicingExporters } from './slicing.ts';
import { stringExporters } from './strings.ts';

/** Exporters by operation type. */
export const exporters: ReadonlyMap<string, Exporter> = mergeTables([
  elementwiseExporters,
  activationExporters,
  convolutionExporters,
  poolingExporters,
  linearExporters,
  normalizationExporters,
  reductionExporters,
  movementExporters,
  slicingExporters,
  resizeExporters,
  quantizationExporters,
  pickingExporters,
  recurrentExporters,
  controlExporters,
  convertExporters,
  detectionExporters,
  sequenceExporters,
  arrangingExporters,
  stringExporters,
]);
