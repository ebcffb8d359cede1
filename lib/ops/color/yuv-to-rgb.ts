// NV12toRGB, NV12toBGR, I420toRGB, I420toBGR: images of cameras and video decoders as red, green and blue.
import { LowpError } from '../../errors/lowp-error.ts';
import type { Fact } from '../../graph/node.ts';
import { fromFloat64, toFloat64 } from '../../tensor/convert.ts';
import { isFloat } from '../../tensor/element-type.ts';
import { elementCount, formatShape, type Shape } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { noAttributes } from '../attribute.ts';
import { defineOp, type OpDef } from '../define-op.ts';
import { commonType, type Facts, factsOf, inputFact, mergeSizes, requireRank } from '../fact.ts';

/** How the two color values of 2 × 2 pixels are stored behind, or beside, the brightness of each pixel. */
interface Format {
  readonly name: 'NV12' | 'I420';
  /** Tensors of color values when they are not in one tensor with the brightness, and values of a place in each. */
  readonly planes: number;
  readonly interleaved: number;
}

const formats: readonly Format[] = [
  { name: 'NV12', planes: 1, interleaved: 2 },
  { name: 'I420', planes: 2, interleaved: 1 },
];

interface ImageSize {
  readonly images: number;
  readonly height: number;
  readonly width: number;
}

function requireShape(shape: Shape, channels: number, what: string): void {
  requireRank(shape, 4, 4, what);
  if (shape[3]! < 0 || shape[3] === channels) return;
  throw new LowpError('ERR_SHAPE_MISMATCH', `${what}: shape ${formatShape(shape)}, expected [N,H,W,${channels}]`);
}

function requireEven(height: number, width: number): void {
  if ((height < 0 || height % 2 === 0) && (width < 0 || width % 2 === 0)) return;
  const text = `an image of ${height} × ${width} pixels, expected even numbers: 2 × 2 pixels share their color`;
  throw new LowpError('ERR_SHAPE_MISMATCH', text);
}

/** Unknown sizes are −1. */
function sizeOf(format: Format, inputs: Facts): ImageSize {
  const type = commonType(...inputs.map((_, i) => inputFact(inputs, i)));
  if (type !== 'u8' && !isFloat(type)) {
    throw new LowpError('ERR_TYPE_UNSUPPORTED', `images of type ${type}: u8 or floats are expected`);
  }
  const [images, rows, columns] = inputFact(inputs, 0).shape as [number, number, number];
  requireShape(inputFact(inputs, 0).shape, 1, 'the brightness');
  if (inputs.length === 1) {
    if (rows % 3 > 0)
      throw new LowpError('ERR_SHAPE_MISMATCH', `${rows} rows are no image and half as many rows of color`);
    const height = rows < 0 ? -1 : (rows / 3) * 2;
    requireEven(height, columns);
    return { images, height, width: columns };
  }
  if (inputs.length !== 1 + format.planes) {
    throw new LowpError('ERR_OP_INPUTS', `${inputs.length} inputs, expected 1 or ${1 + format.planes}`);
  }
  const size = { images, height: rows, width: columns };
  for (let i = 1; i < inputs.length; i++) {
    const { shape } = inputFact(inputs, i);
    requireShape(shape, format.interleaved, 'the color values');
    size.images = mergeSizes(size.images, shape[0]!, 'images of brightness and color');
    size.height = mergeSizes(size.height, shape[1]! < 0 ? -1 : 2 * shape[1]!, 'rows of brightness and color');
    size.width = mergeSizes(size.width, shape[2]! < 0 ? -1 : 2 * shape[2]!, 'columns of brightness and color');
  }
  requireEven(size.height, size.width);
  return size;
}

function infer(format: Format, inputs: Facts): Fact[] {
  const { images, height, width } = sizeOf(format, inputs);
  return [{ type: inputFact(inputs, 0).type, shape: [images, height, width, 3] }];
}

/** Values of one kind, image by image: `at(image, place)` is `values[image · perImage + first + step · place]`. */
interface Plane {
  readonly values: Float64Array;
  readonly perImage: number;
  readonly first: number;
  readonly step: number;
}

/** Where brightness (for every pixel) and the two color values (for 2 × 2 pixels) are. */
function planesOf(format: Format, inputs: readonly Tensor[], { height, width }: ImageSize): [Plane, Plane, Plane] {
  const pixels = height * width;
  const values = inputs.map(toFloat64);
  const { interleaved: step } = format;
  const behind = step === 2 ? 1 : pixels / 4;
  if (inputs.length === 1) {
    const plane = (first: number, by: number) => ({ values: values[0]!, perImage: (pixels / 2) * 3, first, step: by });
    return [plane(0, 1), plane(pixels, step), plane(pixels + behind, step)];
  }
  const y = { values: values[0]!, perImage: pixels, first: 0, step: 1 };
  const color = { perImage: (pixels / 4) * step, step };
  const [u, v] = format.planes === 1 ? [values[1]!, values[1]!] : [values[1]!, values[2]!];
  return [y, { ...color, values: u, first: 0 }, { ...color, values: v, first: format.planes === 1 ? 1 : 0 }];
}

function evaluate(format: Format, reversed: boolean, inputs: readonly Tensor[]): Tensor[] {
  const { type, shape } = infer(format, factsOf(inputs))[0]!;
  const size = sizeOf(format, factsOf(inputs));
  const planes = planesOf(format, inputs, size);
  const out = new Float64Array(elementCount(shape));
  const finish = isFloat(type) ? (v: number) => v : Math.round;
  const { height, width } = size;
  for (let n = 0; n < size.images; n++) {
    const [y, u, v] = planes.map((p) => ({ ...p, first: n * p.perImage + p.first }));
    for (let pixel = 0; pixel < height * width; pixel++) {
      const place = (Math.floor(pixel / width) >> 1) * (width / 2) + ((pixel % width) >> 1);
      const light = 1.164 * (y!.values[y!.first + pixel]! - 16);
      const blue = u!.values[u!.first + u!.step * place]! - 128;
      const red = v!.values[v!.first + v!.step * place]! - 128;
      const rgb = [light + 1.596 * red, light - 0.391 * blue - 0.813 * red, light + 2.018 * blue];
      for (let c = 0; c < 3; c++) {
        const value = rgb[reversed ? 2 - c : c]!;
        out[3 * (n * height * width + pixel) + c] = finish(Math.min(255, Math.max(0, value)));
      }
    }
  }
  return [fromFloat64(out, shape, type)];
}

/**
 * Brightness Y and colors U, V (ITU-R BT.601, limited range) as red, green and blue, or in the reverse order:
 * `R = 1.164 (Y − 16) + 1.596 (V − 128)`, `G = 1.164 (Y − 16) − 0.391 (U − 128) − 0.813 (V − 128)`,
 * `B = 1.164 (Y − 16) + 2.018 (U − 128)`, clipped to 0 to 255; bytes are rounded, halves up.
 *
 * Inputs: one tensor [N, H · 3/2, W, 1], or Y [N, H, W, 1] and for NV12 UV [N, H/2, W/2, 2], for I420 U and V
 * [N, H/2, W/2, 1]. Output [N, H, W, 3]. H and W are even.
 */
export const yuvToRgb: readonly OpDef[] = formats.flatMap((format) =>
  [false, true].map((reversed) =>
    defineOp({
      type: `${format.name}to${reversed ? 'BGR' : 'RGB'}`,
      opset: 'opset8',
      attributes: noAttributes,
      inputs: [1, 1 + format.planes],
      infer: (_, inputs) => infer(format, inputs),
      evaluate: (_, inputs) => evaluate(format, reversed, inputs),
    }),
  ),
);
