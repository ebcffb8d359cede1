// Gives every placed quantizer its configuration.
import { LowpError } from '../errors/lowp-error.ts';
import type { Node } from '../graph/node.ts';
import type { QuantizerChoice } from '../targets/target.ts';
import {
  chooseByPreset,
  completeChoice,
  intersectChoices,
  type PinnedChoice,
  type Preset,
  pinChoices,
  type QuantizerConfiguration,
  type QuantizerGroup,
} from './configuration.ts';
import { quantizedSource } from './insert.ts';
import { consumersOf, decidingConsumers, isConstant, type Roles, traitsOf } from './roles.ts';
import { findScaleGroups, needsPerTensor, type ScaleGroup } from './unify-scales.ts';

/** A placed quantizer and how it rounds. */
export interface ConfiguredQuantizer {
  readonly node: Node;
  readonly group: QuantizerGroup;
  readonly configuration: QuantizerConfiguration;
}

export interface ConfigurationOptions {
  readonly preset: Preset;
  readonly modelType?: 'transformer';
  readonly weights?: PinnedChoice;
  readonly activations?: PinnedChoice;
}

/** All quantizers with their configurations, and the groups that share a range. */
export interface Configured {
  readonly quantizers: readonly ConfiguredQuantizer[];
  readonly groups: readonly ScaleGroup[];
}

/**
 * Configures quantizers that were placed for a device.
 *
 * @throws {LowpError} `ERR_ALGO_UNSUPPORTED` when the operations behind a quantizer have no configuration in common
 */
export function configureQuantizers(
  quantizers: readonly Node[],
  roles: Roles,
  options: ConfigurationOptions,
): Configured {
  const groups = findScaleGroups(quantizers, roles);
  const groupOf = new Map(groups.flatMap((group) => group.quantizers.map((node) => [node, group])));
  const shared = new Map(
    groups.map((group) => [group, choose(group.quantizers, 'activations', roles, options, group)]),
  );
  const configured = quantizers.map((node) => {
    const role = roleOf(node, roles);
    const group = groupOf.get(node);
    const choice = (group && shared.get(group)) ?? choose([node], role, roles, options);
    const isSymmetric = role === 'activations' && isSymmetricProduct(node, roles, options);
    const final = isSymmetric ? { ...choice, mode: 'symmetric' as const } : choice;
    return { node, group: role, configuration: completeChoice(final, role) };
  });
  return { quantizers: configured, groups };
}

/** A constant that an operation computes with is a weight; one that is only moved joins the activations. */
function roleOf(quantizer: Node, roles: Roles): QuantizerGroup {
  const isWeights =
    isConstant(quantizedSource(quantizer)) && !consumersOf(quantizer).some((c) => roles.isAgnostic(c.node));
  return isWeights ? 'weights' : 'activations';
}

/** The choice that all operations behind some quantizers accept. */
function choose(
  nodes: readonly Node[],
  role: QuantizerGroup,
  roles: Roles,
  options: ConfigurationOptions,
  group?: ScaleGroup,
): QuantizerChoice {
  const readers = [...new Set(nodes.flatMap((node) => decidingConsumers(node, roles).map((c) => c.node)))];
  const lists = readers.flatMap((reader) => {
    const choices = roles.row(reader)?.[role] ?? [];
    return choices.length > 0 ? [pinChoices(choices, options[role])] : [];
  });
  const common = intersectChoices(lists, roles.target.primaryBits);
  const choice = chooseByPreset(group && needsPerTensor(group) ? perTensorOnly(common) : common, role, options.preset);
  if (choice) return choice;
  const names = readers.map((r) => `${r.type} '${r.name}'`).join(', ');
  throw new LowpError(
    'ERR_ALGO_UNSUPPORTED',
    `${roles.target.name} has no ${role} configuration that suits all of: ${names || 'no operation'}`,
    { node: nodes[0]!.name, help: 'Exclude one of the operations with the ignored scope.' },
  );
}

function perTensorOnly(choices: readonly QuantizerChoice[]): readonly QuantizerChoice[] {
  const kept = choices.filter((c) => c.granularity === 'perTensor');
  return kept.length > 0 ? kept : choices.map((c) => ({ ...c, granularity: 'perTensor' as const }));
}

/** A transformer's product of two activations: both are symmetric, so that no zero points have to be multiplied out. */
function isSymmetricProduct(quantizer: Node, roles: Roles, options: ConfigurationOptions): boolean {
  if (options.modelType !== 'transformer' || !roles.target.symmetricProducts) return false;
  return decidingConsumers(quantizer, roles).some(({ node }) => {
    const port = traitsOf(node).weights?.port;
    const other = port === undefined ? undefined : node.source(port);
    return other !== undefined && node.type === 'MatMul' && !isConstantBehindQuantizer(other.node);
  });
}

function isConstantBehindQuantizer(node: Node): boolean {
  const source = node.type === 'Constant' ? node : node.source(0)?.node;
  return source?.type === 'Constant';
}
