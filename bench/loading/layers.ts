// IRs of a given number of layers: convolutions of 8 channels with their weights, biases and clamps, and sums around them.
import { mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type { OutputPort } from '../../lib/graph/node.ts';
import { saveModel } from '../../lib/index.ts';
import { Graph } from '../networks/synthetic/graph.ts';

const folder = path.resolve('build/bench');

export const layersInput = { name: 'input', shape: [8, 16, 16] } as const;

/** The path of an IR of at least so many layers, constants included; made when it is not there. */
export async function irOfLayers(layers: number): Promise<string> {
  const file = path.join(folder, `layers_${layers}.xml`);
  if (await stat(file).catch(() => undefined)) return file;
  const g = new Graph(`layers_${layers}`);
  let x: OutputPort = g.input(layersInput.name, [-1, ...layersInput.shape]);
  while (g.model.nodeById.size + 1 < layers) {
    const y = g.add('Relu', [g.convolution(x, { out: 8, kernel: 3, gain: 0.5 })]);
    x = g.add('Add', [y, x]);
  }
  g.output(x, 'output');
  await mkdir(folder, { recursive: true });
  await saveModel(g.model, file);
  return file;
}
