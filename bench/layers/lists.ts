// The layers of the layer bench: what networks multiply, in the order in which they run.
import { suitsWinograd } from '../../lib/ops/convolution/winograd.ts';

export type Space = readonly [depth: number, height: number, width: number];

export interface Convolution {
  readonly kind: 'conv';
  readonly name: string;
  readonly batch: number;
  readonly in: Space;
  readonly ic: number;
  readonly out: Space;
  readonly oc: number;
  readonly kernel: Space;
  readonly stride: Space;
  /** In front; behind as much as the output needs. */
  readonly pad: Space;
  readonly groups: number;
}

/** [m, k] × [n, k]ᵀ, the second one constant. */
export interface MatrixProduct {
  readonly kind: 'gemm';
  readonly name: string;
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

export type Layer = Convolution | MatrixProduct;

/**
 * Types of weights, beside bytes in and out: spread evenly over all of i8; at most 64, with which no sum of two products
 * leaves 16 bits; normally distributed with 127 as the largest of each channel, as training leaves them.
 */
export type LayerType = 'f32' | 'u8s8' | 'u8s7' | 'trained';

export interface LayerList {
  readonly name: string;
  layers(batch: number): readonly Layer[];
}

/** A layer with square or cubic sizes; `size` and `depth` are those of the input. */
export interface ConvolutionSizes {
  readonly batch: number;
  readonly ic: number;
  readonly oc: number;
  readonly size: number;
  readonly kernel: number;
  readonly stride?: number;
  readonly groups?: number;
  /** A volume: the kernel and the stride reach along this axis too. */
  readonly depth?: number;
}

/** Padding as in `same`: half of the kernel in front. */
export function convolution(s: ConvolutionSizes): Convolution {
  const { batch, ic, oc, size, kernel, stride = 1, groups = 1, depth } = s;
  const pad = Math.floor(kernel / 2);
  const out = Math.floor((size + 2 * pad - kernel) / stride) + 1;
  const outDepth = depth === undefined ? 1 : Math.floor((depth + 2 * pad - kernel) / stride) + 1;
  const space = (value: number, flat: number): Space => [depth === undefined ? flat : value, value, value];
  const channels = groups > 1 ? `dw${ic}` : `ic${ic}`;
  return {
    kind: 'conv',
    name: `${channels}_${depth === undefined ? '' : `d${depth}_`}h${size}_oc${oc}_k${kernel}_s${stride}`,
    batch,
    in: [depth ?? 1, size, size],
    ic,
    out: [outDepth, out, out],
    oc,
    kernel: space(kernel, 1),
    stride: space(stride, 1),
    pad: space(pad, 0),
    groups,
  };
}

export function matrixProduct(m: number, n: number, k: number): MatrixProduct {
  return { kind: 'gemm', name: `m${m}_n${n}_k${k}`, m, n, k };
}

/** ResNet-50 v1.5: the 3×3 convolutions carry the stride. */
function resnet50(batch: number): Layer[] {
  const layers: Layer[] = [convolution({ batch, ic: 3, oc: 64, size: 224, kernel: 7, stride: 2 })];
  let [ic, size] = [64, 56];
  for (const [width, blocks] of [
    [64, 3],
    [128, 4],
    [256, 6],
    [512, 3],
  ] as const) {
    for (let block = 0; block < blocks; block++) {
      const stride = block === 0 && width > 64 ? 2 : 1;
      const small = size / stride;
      if (block === 0) layers.push(convolution({ batch, ic, oc: 4 * width, size, kernel: 1, stride }));
      layers.push(
        convolution({ batch, ic, oc: width, size, kernel: 1 }),
        convolution({ batch, ic: width, oc: width, size, kernel: 3, stride }),
        convolution({ batch, ic: width, oc: 4 * width, size: small, kernel: 1 }),
      );
      [ic, size] = [4 * width, small];
    }
  }
  return [...layers, matrixProduct(batch, 1000, 2048)];
}

function mobilenetV2(batch: number): Layer[] {
  const layers: Layer[] = [convolution({ batch, ic: 3, oc: 32, size: 224, kernel: 3, stride: 2 })];
  let [ic, size] = [32, 112];
  for (const [expand, oc, blocks, first] of [
    [1, 16, 1, 1],
    [6, 24, 2, 2],
    [6, 32, 3, 2],
    [6, 64, 4, 2],
    [6, 96, 3, 1],
    [6, 160, 3, 2],
    [6, 320, 1, 1],
  ] as const) {
    for (let block = 0; block < blocks; block++) {
      const stride = block === 0 ? first : 1;
      const wide = ic * expand;
      if (expand > 1) layers.push(convolution({ batch, ic, oc: wide, size, kernel: 1 }));
      layers.push(convolution({ batch, ic: wide, oc: wide, size, kernel: 3, stride, groups: wide }));
      size /= stride;
      layers.push(convolution({ batch, ic: wide, oc, size, kernel: 1 }));
      ic = oc;
    }
  }
  return [...layers, convolution({ batch, ic, oc: 1280, size, kernel: 1 }), matrixProduct(batch, 1000, 1280)];
}

/** The products with weights of twelve encoder layers. */
function bertBase(tokens: number, batch: number): Layer[] {
  const m = tokens * batch;
  const attention = Array.from({ length: 4 }, () => matrixProduct(m, 768, 768));
  const layer = [...attention, matrixProduct(m, 3072, 768), matrixProduct(m, 768, 3072)];
  return Array.from({ length: 12 }, () => layer).flat();
}

function vgg16(batch: number): Layer[] {
  const layers: Layer[] = [];
  let [ic, size] = [3, 224];
  for (const [oc, count] of [
    [64, 2],
    [128, 2],
    [256, 3],
    [512, 3],
    [512, 3],
  ] as const) {
    for (let i = 0; i < count; i++) {
      layers.push(convolution({ batch, ic, oc, size, kernel: 3 }));
      ic = oc;
    }
    size /= 2;
  }
  return layers;
}

function volumes(batch: number): Layer[] {
  return [
    convolution({ batch, ic: 3, oc: 64, size: 112, depth: 16, kernel: 3 }),
    convolution({ batch, ic: 32, oc: 64, size: 56, depth: 16, kernel: 3 }),
    convolution({ batch, ic: 64, oc: 64, size: 28, depth: 8, kernel: 3 }),
    convolution({ batch, ic: 64, oc: 128, size: 28, depth: 8, kernel: 3, stride: 2 }),
    convolution({ batch, ic: 128, oc: 128, size: 14, depth: 8, kernel: 3 }),
    convolution({ batch, ic: 128, oc: 256, size: 14, depth: 8, kernel: 1 }),
  ];
}

const gemmSizes = [
  [1, 768, 768],
  [1, 1000, 2048],
  [1, 4096, 4096],
  [16, 768, 768],
  [64, 1000, 2048],
  [256, 256, 256],
  [512, 512, 512],
  [1024, 1024, 1024],
  [2048, 2048, 2048],
] as const;

/** A few small layers of every kind, for comparisons that must not take long. */
function brief(batch: number): Layer[] {
  return [
    convolution({ batch, ic: 3, oc: 32, size: 96, kernel: 3, stride: 2 }),
    convolution({ batch, ic: 64, oc: 64, size: 28, kernel: 3 }),
    convolution({ batch, ic: 64, oc: 256, size: 28, kernel: 1 }),
    convolution({ batch, ic: 256, oc: 256, size: 7, kernel: 3 }),
    convolution({ batch, ic: 144, oc: 144, size: 28, kernel: 3, groups: 144 }),
    convolution({ batch, ic: 192, oc: 192, size: 28, kernel: 3, stride: 2, groups: 192 }),
    matrixProduct(batch, 768, 768),
    matrixProduct(96, 512, 512),
  ];
}

export const layerLists: readonly LayerList[] = [
  { name: 'resnet50', layers: resnet50 },
  { name: 'mobilenet_v2', layers: mobilenetV2 },
  { name: 'bert_base_128', layers: (batch) => bertBase(128, batch) },
  { name: 'bert_base_384', layers: (batch) => bertBase(384, batch) },
  { name: 'vgg16', layers: vgg16 },
  { name: 'conv3d', layers: volumes },
  { name: 'gemm', layers: () => gemmSizes.map(([m, n, k]) => matrixProduct(m, n, k)) },
  { name: 'brief', layers: brief },
];

/** Layers of which each name occurs once, and how often it occurs in `layers`. */
export function distinct(layers: readonly Layer[]): readonly { readonly layer: Layer; readonly times: number }[] {
  const found = new Map<string, { layer: Layer; times: number }>();
  for (const layer of layers) {
    const known = found.get(layer.name);
    if (known) known.times++;
    else found.set(layer.name, { layer, times: 1 });
  }
  return [...found.values()];
}

/** The layer is one that lowp's programs compute by Winograd. */
function isWinograd(layer: Convolution): boolean {
  if (layer.in[0] !== 1 || layer.kernel[0] !== 1) return false;
  const [strides, kernel, output, pads] = [layer.stride, layer.kernel, layer.out, layer.pad].map((s) => s.slice(1));
  const window = {
    kernel: kernel!,
    strides: strides!,
    dilations: [1, 1],
    padsBegin: pads!,
    padsEnd: pads!,
    output: output!,
  };
  return suitsWinograd(window, { groups: layer.groups, inputs: layer.ic, outputs: layer.oc });
}

/** The text form that `lowp_layer_bench` reads (bench/layers/layer.h). */
export function layerLine(layer: Layer, type: LayerType): string {
  if (layer.kind === 'gemm') {
    return `name=${layer.name} kind=gemm type=${type} m=${layer.m} n=${layer.n} k=${layer.k}`;
  }
  const space = (s: Space): string => s.join('x');
  return [
    `name=${layer.name} kind=conv type=${type} batch=${layer.batch} groups=${layer.groups}`,
    `ic=${layer.ic} in=${space(layer.in)} oc=${layer.oc} out=${space(layer.out)}`,
    `kernel=${space(layer.kernel)} stride=${space(layer.stride)} pad=${space(layer.pad)}`,
    ...(type === 'f32' && isWinograd(layer) ? ['winograd=1'] : []),
  ].join(' ');
}
