/** MaxPool, AveragePool, GlobalMaxPool and GlobalAveragePool. */
import type { OutputPort } from '../../../graph/node.ts';
import type { ImporterTable, ImportNode } from './import-node.ts';
import { readSizes, readWindow, spatialRank, type Window } from './window.ts';

export const poolingImporters: ImporterTable = {
  MaxPool: maxPool,
  AveragePool: averagePool,
  GlobalMaxPool: (n) => [global(n, 'ReduceMax')],
  GlobalAveragePool: (n) => [global(n, 'ReduceMean')],
};

function maxPool(n: ImportNode): OutputPort[] {
  const columns = n.attributes.int('storage_order') ?? 0;
  if (columns !== 0 && n.outputNames[1]) n.unsupported('indices in column-major order');
  const { dilations, ...window } = poolWindow(n);
  if (!n.outputNames[1] && dilations.every((d) => d === 1)) {
    return [n.add('MaxPool', window, [n.input(0)], { opset: 'opset1' })];
  }
  const attributes = { ...window, dilations, index_element_type: 'i64', axis: 0 };
  return [...n.addAll('MaxPool', attributes, [n.input(0)], { opset: 'opset8' })];
}

function averagePool(n: ImportNode): OutputPort[] {
  const { dilations, ...window } = poolWindow(n);
  if (dilations.some((d) => d !== 1)) n.unsupported('dilated average pooling');
  const excludePad = !n.attributes.flag('count_include_pad');
  return [n.add('AvgPool', { ...window, 'exclude-pad': excludePad }, [n.input(0)])];
}

function poolWindow(n: ImportNode) {
  const spatial = spatialRank(n);
  const kernel = readSizes(n, 'kernel_shape', spatial, 1) ?? n.attributes.fail('kernel_shape', 'is missing');
  const window = readWindow(n, spatial);
  return { ...window, kernel, rounding_type: n.attributes.flag('ceil_mode') ? ceiling(window, kernel) : 'floor' };
}

/** ONNX drops a last window that starts behind the input; that is `ceil_torch`, and plain `ceil` where none can. */
function ceiling(w: Window, kernel: readonly number[]): string {
  const never = kernel.every((k, i) => w.pads_end[i]! + w.strides[i]! <= (k - 1) * w.dilations[i]! + 1);
  return never ? 'ceil' : 'ceil_torch';
}

function global(n: ImportNode, type: string): OutputPort {
  const axes = Array.from({ length: spatialRank(n) }, (_, i) => i + 2);
  return n.add(type, { keep_dims: true }, [n.input(0), n.indices(axes, 'axes')]);
}
