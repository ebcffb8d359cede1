// MobileNet-V2 (Sandler et al. 2018), width 1, batch normalization folded.
import type { OutputPort } from '../../../lib/graph/node.ts';
import type { Model } from '../../../lib/index.ts';
import { Graph } from './graph.ts';

/** Expansion, output channels, number of blocks, stride of the first block. */
const stages = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

function relu6(g: Graph, x: OutputPort): OutputPort {
  return g.add('Clamp', [x], { min: 0, max: 6 });
}

function block(g: Graph, x: OutputPort, expansion: number, out: number, stride: number): OutputPort {
  const channels = x.fact.shape[1]!;
  const wide = channels * expansion;
  const expanded = expansion === 1 ? x : relu6(g, g.convolution(x, { out: wide, kernel: 1 }));
  const spatial = relu6(g, g.convolution(expanded, { out: wide, kernel: 3, stride, depthwise: true }));
  const projected = g.convolution(spatial, { out, kernel: 1, gain: 0.7 });
  return stride === 1 && channels === out ? g.add('Add', [projected, x]) : projected;
}

export function mobilenetV2(): Model {
  const g = new Graph('mobilenet_v2');
  let x = g.input('input', [-1, 3, 224, 224]);
  x = relu6(g, g.convolution(x, { out: 32, kernel: 3, stride: 2 }));
  for (const [expansion, out, blocks, stride] of stages)
    for (let i = 0; i < blocks; i++) x = block(g, x, expansion, out, i === 0 ? stride : 1);
  x = relu6(g, g.convolution(x, { out: 1280, kernel: 1 }));
  g.output(g.classifier(x, 1000), 'output');
  return g.model;
}
