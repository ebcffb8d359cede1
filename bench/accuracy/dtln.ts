// Noise suppression of the two networks of DTLN, block by block with their state: what `lowp evaluate`, which takes one
// network and samples that do not follow each other, cannot measure.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { compile, type Model, openModel, quantize, type Session, type Tensor, tensor } from '../../lib/index.ts';
import { random } from '../../lib/util/random.ts';
import type { AccuracyRow } from './main.ts';

const rate = 16000;
const block = 512;
const shift = 128;
const bins = block / 2 + 1;
/** Seconds of speech that are judged; those behind them calibrate. */
const judged = 20;
const calibrationBlocks = 300;

type Feeds = Readonly<Record<string, Tensor>>;
type Pair<T> = readonly [mask: T, signal: T];

/** Names of input, state, output and next state of each network. */
const names = [
  ['input_2', 'input_3', 'activation_2', 'tf_op_layer_stack_2'],
  ['input_4', 'input_5', 'conv1d_3', 'tf_op_layer_stack_5'],
] as const;

/** FP32, simulated and INT8 as improvement over the noisy signal is judged: scale-invariant signal to distortion. */
export async function measureDtln(shared: string): Promise<AccuracyRow[]> {
  const models = (await Promise.all(
    [1, 2].map((i) => openModel(path.join(shared, 'models', `dtln_model_${i}.onnx`))),
  )) as [Model, Model];
  const speech = readSpeech(path.join(shared, 'data/speech/speech_16k.wav'));
  const [test, rest] = [speech.subarray(0, judged * rate), speech.subarray(judged * rate)];
  const samples = [[], []] as [Feeds[], Feeds[]];
  const every = Math.max(1, Math.floor(rest.length / shift / calibrationBlocks));
  await suppress(models, 'CPU', noisy(rest, 2), (index, network, feeds) => {
    if (index % every === 0) samples[network].push(feeds);
  });
  const started = performance.now();
  const results = [await quantize(models[0], samples[0]), await quantize(models[1], samples[1])] as const;
  const seconds = (performance.now() - started) / 1000;
  const int8 = results.map((r) => r.model) as unknown as Pair<Model>;
  const input = noisy(test, 1);
  const score = async (pair: Pair<Model>, device: string): Promise<number> =>
    distortion(await suppress(pair, device, input), test);
  return [
    {
      model: 'dtln',
      metric: 'si-sdr',
      unit: 'dB',
      samples: 1,
      calibrationSamples: results[0].report.samples,
      fp32: await score(models, 'CPU'),
      simulated: await score(int8, 'CPU_FP32'),
      int8: await score(int8, 'CPU'),
      seconds: {
        total: seconds,
        calibrate: results[0].report.seconds.calibrate + results[1].report.seconds.calibrate,
        correct: results[0].report.seconds.correct + results[1].report.seconds.correct,
      },
    },
  ];
}

/** The elements of a 16-bit mono WAV file, in -1 … 1. */
function readSpeech(file: string): Float32Array {
  const bytes = readFileSync(file);
  const at = bytes.indexOf('data') + 8;
  return Float32Array.from({ length: (bytes.length - at) >> 1 }, (_, i) => bytes.readInt16LE(at + 2 * i) / 32768);
}

/** Speech with pink noise (octaves of held random numbers, added) of a fifth of its power less: 5 dB below it. */
function noisy(speech: Float32Array, seed: number): Float32Array {
  const r = random(seed);
  const rows = new Float64Array(16);
  const noise = Float64Array.from(speech, (_, i) => {
    for (const k of rows.keys()) if (i % 2 ** k === 0) rows[k] = r.normal();
    return rows.reduce((a, b) => a + b, 0);
  });
  const gain = Math.sqrt(power(speech) / power(noise) / 10 ** 0.5);
  return speech.map((v, i) => v + gain * noise[i]!);
}

function power(x: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i]! * x[i]!;
  return sum / x.length;
}

/**
 * The signal without noise, as long as the input. Each step takes `shift` new samples, masks the spectrum of the last block
 * and repairs what comes back; blocks are added where they overlap.
 */
async function suppress(
  models: Pair<Model>,
  device: string,
  signal: Float32Array,
  onFeeds: (index: number, network: 0 | 1, feeds: Feeds) => void = () => undefined,
): Promise<Float32Array> {
  const sessions = (await Promise.all(models.map((model) => compile(model, { device })))) as unknown as Pair<Session>;
  let states = [0, 1].map(() => tensor('f32', [1, 2, 128, 2], new Float32Array(512)));
  const run = async (index: number, network: 0 | 1, x: Float32Array): Promise<Float32Array> => {
    const [input, state, output, next] = names[network];
    const feeds = { [input]: tensor('f32', [1, 1, x.length], x), [state]: states[network]! };
    onFeeds(index, network, feeds);
    const outputs = await sessions[network].infer(feeds);
    states = states.with(network, outputs[next]!);
    return outputs[output]!.data as Float32Array;
  };
  const [last, sum] = [new Float32Array(block), new Float32Array(block)];
  const out = new Float32Array(signal.length);
  try {
    for (let at = 0; at + shift <= signal.length; at += shift) {
      last.copyWithin(0, shift);
      last.set(signal.subarray(at, at + shift), block - shift);
      const { re, im } = spectrum(last);
      const mask = await run(
        at / shift,
        0,
        re.map((v, k) => Math.hypot(v, im[k]!)),
      );
      const part = await run(at / shift, 1, inverse(re.map((v, k) => v * mask[k]!), im.map((v, k) => v * mask[k]!))); // biome-ignore format: one line
      sum.copyWithin(0, shift);
      sum.fill(0, block - shift);
      for (let i = 0; i < block; i++) sum[i]! += part[i]!;
      out.set(sum.subarray(0, shift), at);
    }
  } finally {
    for (const session of sessions) await session.close();
  }
  return out;
}

const cosine = Float64Array.from({ length: block }, (_, i) => Math.cos((2 * Math.PI * i) / block));
const sine = Float64Array.from({ length: block }, (_, i) => Math.sin((2 * Math.PI * i) / block));

function spectrum(x: Float32Array): { re: Float32Array; im: Float32Array } {
  const [re, im] = [new Float32Array(bins), new Float32Array(bins)];
  for (let k = 0; k < bins; k++) {
    let [a, b] = [0, 0];
    for (let i = 0; i < block; i++) {
      const at = (k * i) % block;
      a += x[i]! * cosine[at]!;
      b -= x[i]! * sine[at]!;
    }
    re[k] = a;
    im[k] = b;
  }
  return { re, im };
}

function inverse(re: Float32Array, im: Float32Array): Float32Array {
  return Float32Array.from({ length: block }, (_, i) => {
    let value = 0;
    for (let k = 0; k < bins; k++) {
      const at = (k * i) % block;
      const weight = k === 0 || k === bins - 1 ? 1 : 2;
      value += weight * (re[k]! * cosine[at]! - im[k]! * sine[at]!);
    }
    return value / block;
  });
}

/** Scale-invariant signal to distortion in dB; the output is a block less a step later than the speech. */
function distortion(output: Float32Array, speech: Float32Array): number {
  const late = block - shift;
  const [x, s] = [output.subarray(late), speech.subarray(0, speech.length - late)];
  const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, v, i) => sum + v * b[i]!, 0);
  const scale = dot(x, s) / dot(s, s);
  const error = x.map((v, i) => v - scale * s[i]!);
  return 10 * Math.log10((scale * scale * dot(s, s)) / dot(error, error));
}
