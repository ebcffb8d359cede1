// Values that are computed from constants alone.
import type { OutputPort } from './node.ts';

/** True when no input of the model can change the value of the port. Meant for short chains such as stored weights. */
export function isComputedFromConstants(port: OutputPort | undefined): boolean {
  if (!port) return false;
  const stack = [port];
  const seen = new Set<OutputPort>();
  while (stack.length > 0) {
    const current = stack.pop()!;
    if (current.fact.value || current.node.type === 'Constant' || seen.has(current)) continue;
    seen.add(current);
    const sources = current.node.inputs.flatMap((i) => (i.source ? [i.source] : []));
    if (sources.length === 0) return false;
    stack.push(...sources);
  }
  return true;
}
