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
import type { Placement } from './propagate.ts';
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
  readonly outputs?: PinnedChoice;
  /** Told about pinned values that the device does not offer. */
  readonly warn?: (message: string) => void;
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
export function configureQuantizers(placement: Placement, roles: Roles, options: ConfigurationOptions): Configured {
  const { quantizers } = placement;
  const groups = findScaleGroups(quantizers, roles);
  const choosing: Choosing = { roles, options, placement };
  const shared = new Map<Node, QuantizerChoice>();
  for (const group of groups) {
    const choice = choose(group.quantizers, 'activations', choosing, needsPerTensor(group));
    for (const node of group.quantizers) shared.set(node, choice);
  }
  const configured = quantizers.map((node) => {
    const group = groupOf(node, choosing);
    const choice = shared.get(node) ?? choose([node], group, choosing);
    const isSymmetric = group !== 'weights' && isSymmetricProduct(node, roles, options);
    const final = isSymmetric ? { ...choice, mode: 'symmetric' as const } : choice;
    return { node, group, configuration: completeChoice(final, group) };
  });
  return { quantizers: configured, groups };
}

interface Choosing {
  readonly roles: Roles;
  readonly options: ConfigurationOptions;
  readonly placement: Placement;
}

/** A constant that an operation computes with is a weight; one that is only moved joins the activations. */
function groupOf(quantizer: Node, { roles, placement }: Choosing): QuantizerGroup {
  if (placement.outputs.has(quantizer)) return 'outputs';
  const isWeights =
    isConstant(quantizedSource(quantizer)) && !consumersOf(quantizer).some((c) => roles.isAgnostic(c.node));
  return isWeights ? 'weights' : 'activations';
}

/** The choice that suits all operations that decide about some quantizers; `group` is what those of readers are for. */
function choose(
  nodes: readonly Node[],
  group: QuantizerGroup,
  choosing: Choosing,
  isPerTensor = false,
): QuantizerChoice {
  const { roles, options, placement } = choosing;
  const judges = nodes.flatMap((node) =>
    placement.outputs.has(node)
      ? [{ judge: quantizedSource(node).node, role: 'outputs' as const }]
      : decidingConsumers(node, roles).map((c) => ({ judge: c.node, role: group })),
  );
  const seen = new Set<Node>();
  const lists = judges.flatMap(({ judge, role }) => {
    const choices = seen.has(judge) ? [] : (roles.row(judge)?.[role] ?? []);
    seen.add(judge);
    return choices.length > 0 ? [pinChoices(choices, options[role], options.warn)] : [];
  });
  const common = intersectChoices(isPerTensor ? lists.map(perTensorOnly) : lists, roles.target.primaryBits);
  const choice = chooseByPreset(common, group, options.preset);
  if (choice) return choice;
  const names = [...seen].map((r) => `${r.type} '${r.name}'`).join(', ');
  throw new LowpError(
    'ERR_ALGO_UNSUPPORTED',
    `${roles.target.name} has no ${group} configuration that suits all of: ${names || 'no operation'}`,
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
