/** Between which numbers values lie. */
import type { OutputPort } from '../../graph/node.ts';
import { integerRange } from '../../tensor/convert.ts';
import type { ElementType } from '../../tensor/element-type.ts';

/** True for values of an operation with limits that a type of whole numbers can hold. */
export function isWithin({ node }: OutputPort, type: ElementType): boolean {
  const range = type === 'u64' ? ([0, Number.POSITIVE_INFINITY] as const) : integerRange(type);
  const { min, max } = node.attributes;
  return node.type === 'Clamp' && range !== undefined && Number(min) >= range[0] && Number(max) <= range[1];
}
