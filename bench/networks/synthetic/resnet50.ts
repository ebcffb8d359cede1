// ResNet-50 (He et al. 2015) with the stride in the 3x3 convolutions, batch normalization folded.
import type { OutputPort } from '../../../lib/graph/node.ts';
import type { Model } from '../../../lib/index.ts';
import { Graph } from './graph.ts';

/** Stages: channels inside the blocks, number of blocks, stride of the first block. */
const stages = [
  [64, 3, 1],
  [128, 4, 2],
  [256, 6, 2],
  [512, 3, 2],
] as const;

function block(g: Graph, x: OutputPort, channels: number, stride: number, projects: boolean): OutputPort {
  const reduced = g.add('ReLU', [g.convolution(x, { out: channels, kernel: 1 })]);
  const spatial = g.add('ReLU', [g.convolution(reduced, { out: channels, kernel: 3, stride })]);
  const expanded = g.convolution(spatial, { out: 4 * channels, kernel: 1, gain: 0.4 });
  const shortcut = projects ? g.convolution(x, { out: 4 * channels, kernel: 1, stride, gain: 0.7 }) : x;
  return g.add('ReLU', [g.add('Add', [expanded, shortcut])]);
}

export function resnet50(): Model {
  const g = new Graph('resnet50');
  let x = g.input('input', [-1, 3, 224, 224]);
  x = g.add('ReLU', [g.convolution(x, { out: 64, kernel: 7, stride: 2 })]);
  x = g.add('MaxPool', [x], { kernel: [3, 3], strides: [2, 2], pads_begin: [1, 1], pads_end: [1, 1] });
  for (const [channels, blocks, stride] of stages)
    for (let i = 0; i < blocks; i++) x = block(g, x, channels, i === 0 ? stride : 1, i === 0);
  g.output(g.classifier(x, 1000), 'output');
  return g.model;
}
