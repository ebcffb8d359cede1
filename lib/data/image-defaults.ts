// How images become the input of a model when nobody says it: what the model itself tells.
import { LowpError } from '../errors/lowp-error.ts';
import type { MetaElement, Model } from '../graph/model.ts';
import type { Node } from '../graph/node.ts';
import type { Shape } from '../tensor/shape.ts';
import type { ImageOptions } from './image-folder.ts';

/** What images need, as far as the model tells. */
export type ImageDefaults = Pick<ImageOptions, 'resize' | 'color' | 'layout' | 'mean' | 'scale'>;

/** Axes of channels, height and width of a layout. */
const layouts = { NCHW: [1, 2, 3], NHWC: [3, 1, 2] } as const;

/**
 * Defaults of the input that takes images, the first one of rank 3 or 4:
 *
 * - layout: the one that an IR notes at the input, else the one that makes 3 or 1 channels, `NCHW` before `NHWC`
 * - resize: to height and width of the input, whatever the aspect ratio, where they are static
 * - color: `gray` for one channel; `bgr` when `model_info` asks to reverse channels and the data is RGB, else `rgb`
 * - mean and scale: `mean_values` and `scale_values` of `model_info`, or the values of `pre-process` in IR version 10.
 *   Those of conversion parameters are in the graph already and do not count.
 *
 * @throws {LowpError} `ERR_DATA_INPUT` when the model subtracts an image instead of a number
 */
export function imageDefaults(model: Model): ImageDefaults {
  const input = model.parameters().find((p) => isImage(p.output.fact.shape));
  if (!input) return {};
  const { shape } = input.output.fact;
  const full = shape.length === 3 ? [1, ...shape] : shape;
  const layout = notedLayout(input) ?? guessedLayout(full);
  if (!layout) return {};
  const [channels, height, width] = layouts[layout].map((axis) => full[axis]!);
  return {
    layout,
    ...(width! > 0 && height! > 0 ? { resize: `${width}x${height}` } : {}),
    ...(channels === 1 ? { color: 'gray' } : isReversed(model) ? { color: 'bgr' } : {}),
    ...normalization(model),
  };
}

function isImage(shape: Shape): boolean {
  return shape.length === 3 || shape.length === 4;
}

/** `[N,C,H,W]` of the input's own attributes. */
function notedLayout(input: Node): 'NCHW' | 'NHWC' | undefined {
  const noted = input.notes.portRtInfo?.[0]?.find((attribute) => attribute.name === 'layout')?.layout;
  const letters = noted?.replace(/[^A-Za-z]/g, '').toUpperCase();
  if (letters === undefined) return undefined;
  return (['NCHW', 'NHWC'] as const).find((layout) => layout === letters || layout === `N${letters}`);
}

function guessedLayout(shape: Shape): 'NCHW' | 'NHWC' | undefined {
  const isColor = (size: number | undefined): boolean => size === 3 || size === 1;
  return (['NCHW', 'NHWC'] as const).find((layout) => isColor(shape[layouts[layout][0]]));
}

function isReversed(model: Model): boolean {
  return ['yes', 'true', '1'].includes(infoOf(model, 'reverse_input_channels')?.toLowerCase() ?? '');
}

function normalization(model: Model): Pick<ImageDefaults, 'mean' | 'scale'> {
  const legacy = model.meta.find((element) => element.name === 'pre-process' || element.name === 'pre_process');
  const mean = legacy ? channelValues(legacy, 'mean') : numbersOf(infoOf(model, 'mean_values'));
  const scale = legacy ? channelValues(legacy, 'scale') : numbersOf(infoOf(model, 'scale_values'));
  return { ...(mean ? { mean } : {}), ...(scale ? { scale } : {}) };
}

/** An entry of `<rt_info><model_info>`, unless the graph does the processing itself. */
function infoOf(model: Model, name: string): string | undefined {
  const info = childOf(
    model.meta.find((element) => element.name === 'rt_info'),
    'model_info',
  );
  const isEmbedded = childOf(info, 'embedded_processing')?.attributes.value?.toLowerCase();
  if (isEmbedded === 'true' || isEmbedded === 'yes') return undefined;
  return childOf(info, name)?.attributes.value;
}

function childOf(element: MetaElement | undefined, name: string): MetaElement | undefined {
  return element?.children.find((child) => child.name === name);
}

/** Numbers between blanks, commas or brackets; undefined without any, and for text. */
function numbersOf(text: string | undefined): number[] | undefined {
  const parts = text?.split(/[\s,()[\]]+/).filter((part) => part !== '') ?? [];
  const values = parts.map(Number);
  return values.length > 0 && values.every(Number.isFinite) ? values : undefined;
}

/** The value of each channel, in the order of their ids. */
function channelValues(preProcess: MetaElement, name: 'mean' | 'scale'): number[] | undefined {
  const channels = preProcess.children
    .filter((child) => child.name === 'channel')
    .sort((a, b) => Number(a.attributes.id) - Number(b.attributes.id));
  const found = channels.map((channel) => childOf(channel, name));
  if (found.some((element) => element && element.attributes.value === undefined)) {
    throw new LowpError('ERR_DATA_INPUT', 'the model subtracts an image from its input (pre-process), not numbers', {
      help: 'Convert the model again, or prepare the data as .npy files.',
    });
  }
  if (!found.some((element) => element)) return undefined;
  return found.map((element) => Number(element?.attributes.value ?? (name === 'mean' ? 0 : 1)));
}
