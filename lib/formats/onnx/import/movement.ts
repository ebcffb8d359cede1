/** Operations that move elements without computing: shapes, orders, joins and parts. */
import type { OutputPort } from '../../../graph/node.ts';
import { isStatic, normalizeAxis } from '../../../tensor/shape.ts';
import type { ImporterTable, ImportNode } from './import-node.ts';

export const movementImporters: ImporterTable = {
  Flatten: flatten,
  Reshape: reshape,
  Transpose: transpose,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Concat: concat,
  Split: split,
  Expand: (n) => [n.add('Broadcast', { mode: 'bidirectional' }, [n.input(0), n.input(1)])],
  Tile: (n) => [n.add('Tile', {}, [n.input(0), n.input(1)])],
  Gather: gather,
  DepthToSpace: depthToSpace,
  SpaceToDepth: (n) => [n.add('SpaceToDepth', { block_size: blockSize(n), mode: 'blocks_first' }, [n.input(0)])],
};

/** A matrix whose rows end at `axis`. */
function flatten(n: ImportNode): OutputPort[] {
  const { shape } = n.input(0).fact;
  const given = n.attributes.int('axis') ?? 1;
  const axis = given === shape.length ? given : normalizeAxis(given, shape.length);
  const rows = shape.slice(0, axis);
  const columns = shape.slice(axis);
  const size = (dims: readonly number[]) => (isStatic(dims) ? dims.reduce((a, b) => a * b, 1) : -1);
  if (size(rows) < 0 && size(columns) < 0 && axis !== 1) n.unsupported('dynamic sizes on both sides of its axis');
  const target = axis === 1 ? [0, -1] : [size(rows), size(columns)];
  return [n.add('Reshape', { special_zero: axis === 1 }, [n.input(0), n.indices(target, 'shape')])];
}

function reshape(n: ImportNode): OutputPort[] {
  const special = !n.attributes.flag('allowzero');
  const data = n.input(0);
  const target = n.input(1);
  const reshaped = n.add('Reshape', { special_zero: special }, [data, target]);
  return [reshaped];
}

function transpose(n: ImportNode): OutputPort[] {
  const rank = n.rank(0);
  const order = n.attributes.ints('perm') ?? Array.from({ length: rank }, (_, i) => rank - 1 - i);
  if (order.length !== rank || new Set(order).size !== rank || order.some((a) => a < 0 || a >= rank)) {
    n.attributes.fail('perm', `is ${order.join(',')}, expected an order of ${rank} axes`);
  }
  return [n.add('Transpose', {}, [n.input(0), n.indices(order, 'order')])];
}

function squeeze(n: ImportNode): OutputPort[] {
  const axes = n.attributes.ints('axes') ?? n.ints(1);
  const port = axes ? n.indices(axes, 'axes') : n.optional(1);
  return [n.add('Squeeze', {}, port ? [n.input(0), port] : [n.input(0)])];
}

function unsqueeze(n: ImportNode): OutputPort[] {
  const axes = n.attributes.ints('axes') ?? n.ints(1);
  if (!axes) return [n.add('Unsqueeze', {}, [n.input(0), n.optional(1) ?? n.attributes.fail('axes', 'is missing')])];
  if (axes.length > 32) n.attributes.fail('axes', `has ${axes.length} elements, expected at most 32`);
  return [n.add('Unsqueeze', {}, [n.input(0), n.indices(axes, 'axes')])];
}

function concat(n: ImportNode): OutputPort[] {
  const inputs = n.allInputs();
  const axis = normalizeAxis(n.attributes.int('axis') ?? n.attributes.fail('axis', 'is missing'), n.rank(0));
  return [n.add('Concat', { axis }, inputs)];
}

/** Equal parts, a list of sizes (attribute or input), or `num_outputs` parts of which the last may be smaller. */
function split(n: ImportNode): OutputPort[] {
  const axis = normalizeAxis(n.attributes.int('axis') ?? 0, n.rank(0));
  const size = n.input(0).fact.shape[axis]!;
  const axisPort = n.scalar('i64', axis, 'axis');
  const given = n.attributes.ints('split') ?? n.ints(1);
  const computed = given ? undefined : n.optional(1);
  if (computed) {
    if (computed.fact.shape[0] !== n.outputNames.length) n.invalid(`it has ${n.outputNames.length} outputs`);
    return [...n.addAll('VariadicSplit', {}, [n.input(0), axisPort, computed])];
  }
  if (given) {
    if (given.length !== n.outputNames.length || given.some((s) => s < 0)) {
      n.invalid(`it splits into sizes ${given.join(',')} and has ${n.outputNames.length} outputs`);
    }
    return [...n.addAll('VariadicSplit', {}, [n.input(0), axisPort, n.indices(given, 'lengths')])];
  }
  const parts = n.attributes.int('num_outputs') ?? n.outputNames.length;
  if (parts !== n.outputNames.length) n.invalid(`it has ${n.outputNames.length} outputs and splits into ${parts}`);
  if (size >= 0 && size % parts !== 0) {
    const part = Math.ceil(size / parts);
    const sizes = Array.from({ length: parts }, (_, i) => Math.max(0, Math.min(part, size - i * part)));
    if (!n.attributes.has('num_outputs')) n.invalid(`it splits ${size} elements into ${parts} equal parts`);
    return [...n.addAll('VariadicSplit', {}, [n.input(0), axisPort, n.indices(sizes, 'lengths')])];
  }
  return [...n.addAll('Split', { num_splits: parts }, [n.input(0), axisPort])];
}

function gather(n: ImportNode): OutputPort[] {
  const axis = normalizeAxis(n.attributes.int('axis') ?? 0, n.rank(0));
  const size = n.input(0).fact.shape[axis]!;
  const known = n.input(1).fact.value ? n.knownInts(1, 'indices') : undefined;
  const wrong = size >= 0 ? known?.find((i) => i < -size || i >= size) : undefined;
  if (wrong !== undefined) n.invalid(`its index ${wrong} lies outside the axis ${axis} of size ${size}`);
  return [n.add('Gather', { batch_dims: 0 }, [n.input(0), n.input(1), n.scalar('i64', axis, 'axis')])];
}

function depthToSpace(n: ImportNode): OutputPort[] {
  const mode = n.attributes.choice('mode', ['DCR', 'CRD'], 'DCR') === 'DCR' ? 'blocks_first' : 'depth_first';
  return [n.add('DepthToSpace', { block_size: blockSize(n), mode }, [n.input(0)])];
}

function blockSize(n: ImportNode): number {
  const size = n.attributes.int('blocksize') ?? n.attributes.fail('blocksize', 'is missing');
  if (size < 1) n.attributes.fail('blocksize', `is ${size}, expected a positive number`);
  return size;
}
