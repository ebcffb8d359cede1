/** The list of all importers: one line per family. */
import { findExtension } from '../../../ops/registry.ts';
import { mergeTables } from '../merge-tables.ts';
import type { NodeProto } from '../onnx_pb.ts';
import { activationImporters } from './activation.ts';
import { attentionImporters } from './attention.ts';
import { channelsLastImporters } from './channels-last.ts';
import { constantImporters } from './constants.ts';
import { controlImporters } from './control.ts';
import { convolutionImporters } from './convolution.ts';
import { detectionImporters } from './detection.ts';
import { elementwiseImporters } from './elementwise.ts';
import { fusedImporters } from './fused.ts';
import type { ValueImporter } from './import-node.ts';
import { integerImporters } from './integer.ts';
import { linearImporters } from './linear.ts';
import { machineLearningImporters } from './machine-learning.ts';
import { microsoftImporters } from './microsoft.ts';
import { microsoftAttentionImporters } from './microsoft-attention.ts';
import { movementImporters } from './movement.ts';
import { nGramImporters } from './n-grams.ts';
import { normalizationImporters } from './normalization.ts';
import { ownFormImporters } from './own-forms.ts';
import { packedWeightImporters } from './packed-weights.ts';
import { pickingImporters } from './picking.ts';
import { poolingImporters } from './pooling.ts';
import { quantizationImporters } from './quantization.ts';
import { recurrentImporters } from './recurrent.ts';
import { reductionImporters } from './reduction.ts';
import { resizeImporters } from './resize.ts';
import { sequenceImporters } from './sequence.ts';
import { signalImporters } from './signal.ts';
import { slicingImporters } from './slicing.ts';
import { stringImporters } from './strings.ts';

/** Importers by ONNX operator; one of another domain is listed as `domain::operator`. */
export const importers: ReadonlyMap<string, ValueImporter> = mergeTables<ValueImporter>([
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
  microsoftAttentionImporters,
  fusedImporters,
  channelsLastImporters,
  packedWeightImporters,
  ownFormImporters,
  machineLearningImporters,
  pickingImporters,
  signalImporters,
  controlImporters,
  sequenceImporters,
  nGramImporters,
  stringImporters,
]);

function isOwn({ domain }: NodeProto): boolean {
  return domain === '' || domain === 'ai.onnx';
}

/** Under which the importer of a node is listed: its operator, behind the domain when that is not ONNX's own. */
export function keyOf(node: NodeProto): string {
  return isOwn(node) ? node.opType : `${node.domain}::${node.opType}`;
}

/** The importer of a node; undefined when its operator cannot be read. Operations of users have domains of their own. */
export function findImporter(node: NodeProto): ValueImporter | undefined {
  const known = importers.get(keyOf(node));
  if (known || isOwn(node)) return known;
  const definition = findExtension(node.opType, node.domain);
  return definition && ((n) => n.addAll(definition.type, n.attributes.values(), n.all(), { opset: node.domain }));
}
