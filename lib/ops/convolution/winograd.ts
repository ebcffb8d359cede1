// Which convolutions of floats are computed by Winograd's algorithm, and their kernel call.
import type { Node } from '../../graph/node.ts';
import type { KernelCall } from '../lower-context.ts';
import type { Window } from '../window.ts';
import { planeGeometry } from '../window-geometry.ts';

/** The most that the kernel takes. */
const mostInputs = 4096;
/** Below these the transformations cost what the products save (bench/NOTES.md). */
const leastInputs = 24;
const leastOutputs = 8;
const leastTiles = 16;
/** Each transformed weight should serve so many tiles, unless all of them stay in the caches. */
const leastTilesOfManyWeights = 25;
const manyWeights = 128 * 128;

interface Channels {
  readonly groups: number;
  readonly inputs: number;
  readonly outputs: number;
}

/** What of a window the choice depends on, one number for each spatial axis. */
export type FilterWindow = Pick<Window, 'kernel' | 'strides' | 'dilations' | 'padsBegin' | 'padsEnd' | 'output'>;

/**
 * True for images, 3 × 3 taps, stride 1 and enough channels and pixels. The choice depends neither on the batch nor on
 * the CPU, so that results do not either.
 */
export function suitsWinograd(window: FilterWindow, { groups, inputs, outputs }: Channels): boolean {
  const { kernel, strides, dilations, padsBegin, padsEnd, output } = window;
  const isFilter = kernel.length === 2 && kernel.every((k) => k === 3);
  const isDense = groups === 1 && [...strides, ...dilations].every((step) => step === 1);
  const isPadded = [...padsBegin, ...padsEnd].every((p) => p <= 2);
  if (!isFilter || !isDense || !isPadded) return false;
  const tiles = Math.ceil(output[0]! / 2) * Math.ceil(output[1]! / 2);
  const worthwhile = inputs * outputs <= manyWeights ? leastTiles : leastTilesOfManyWeights;
  return inputs >= leastInputs && inputs <= mostInputs && outputs >= leastOutputs && tiles >= worthwhile;
}

/**
 * The call of the `winograd_convolution` kernel where that suits; otherwise undefined. What a FakeQuantize rounds to a
 * grid is summed tap by tap: then the sum is rounded least, and a simulation is as near as it can be to the integers
 * that it stands for.
 */
export function winogradCall(node: Node, window: Window, channels: Channels): KernelCall | undefined {
  if (node.source(0)!.node.type === 'FakeQuantize' || !suitsWinograd(window, channels)) return undefined;
  const { inH, inW, outH, outW, padTop, padLeft } = planeGeometry(window);
  return {
    kernel: 'winograd_convolution',
    params: {
      batch: node.source(0)!.fact.shape[0]!,
      inH,
      inW,
      inC: channels.inputs,
      outH,
      outW,
      outC: channels.outputs,
      padTop,
      padLeft,
    },
  };
}
