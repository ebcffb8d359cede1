// Replacing one value by another while the outputs of the model keep their names.
import { replaceOutput } from './edit.ts';
import { outputName } from './model.ts';
import type { OutputPort } from './node.ts';

function feedsResult(port: OutputPort): boolean {
  return [...port.consumers].some((c) => c.node.type === 'Result');
}

/** The name by which users read the output that `port` feeds. */
function readName(port: OutputPort): string {
  const result = [...port.consumers].find((c) => c.node.type === 'Result');
  return result ? outputName(result.node) : port.node.name;
}

/**
 * `to` now computes what `from` computed, and no longer what it computed itself: consumers and tensor names of `from`
 * move to it, its own names are gone.
 */
export function takeOver(from: OutputPort, to: OutputPort): void {
  const names = from.names.length === 0 && feedsResult(from) ? [readName(from)] : from.names;
  replaceOutput(from, to);
  to.names = names;
  from.names = [];
}

/**
 * `from` has the same value as `to`: its consumers and tensor names move there. Returns false when that would rename an
 * output of the model or join it with an input.
 */
export function mergeEqual(from: OutputPort, to: OutputPort): boolean {
  if (!feedsResult(from)) {
    replaceOutput(from, to, { names: true });
    return true;
  }
  if (feedsResult(to) || to.node.type === 'Parameter' || to.node.type === 'Constant') return false;
  const names = from.names.length === 0 ? [readName(from)] : from.names;
  replaceOutput(from, to);
  to.names = [...new Set([...names, ...to.names])];
  from.names = [];
  return true;
}
