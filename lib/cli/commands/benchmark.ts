// lowp benchmark: latency and throughput, several models in turns.

import { type KernelTime, kernelTimes, type LayerTime, profileLayers } from '../../benchmark/per-layer.ts';
import { benchmark, type ModelBenchmark } from '../../benchmark/run.ts';
import { LowpError } from '../../errors/lowp-error.ts';
import { openModel } from '../../formats/index.ts';
import type { Model } from '../../graph/model.ts';
import { cpuInfo } from '../../native/cpu-info.ts';
import { action, type CliCommand, isaNames } from '../command.ts';
import {
  addCommonOptions,
  type CommonOptions,
  deviceOption,
  integer,
  positiveNumber,
  sessionOptions,
} from '../options.ts';
import { formatBytes } from '../output.ts';
import { addShapeOption, openShaped, type ShapeOptions, shapesOf } from '../shapes.ts';

interface Options extends CommonOptions, ShapeOptions {
  readonly batch?: number;
  readonly streams: number;
  readonly seconds: number;
  readonly perLayer?: boolean;
  readonly device: string;
}

export const benchmarkCommand: CliCommand = {
  register(program) {
    const command = program
      .command('benchmark <models...>')
      .description('measure models in turns and compare them with the first');
    command
      .option('--batch <n>', 'first dimension of every input', integer(1))
      .option('--streams <n>', 'inferences at the same time, each on its share of the threads', integer(1), 1)
      .option('--seconds <s>', 'measuring time per model', positiveNumber, 2)
      .option('--per-layer', 'time and kernel of every layer')
      .addOption(deviceOption());
    addCommonOptions(addShapeOption(command)).action(
      action<Options>(async (files, options, { out, signal }) => {
        const models: Model[] = [];
        for (const file of files) models.push(await openOneOf(file, options, signal));
        const common = {
          ...sessionOptions(options, signal),
          ...(options.batch === undefined ? {} : { batch: options.batch }),
          shapes: shapesOf(options.shape ?? [], models),
        };
        const { streams, seconds } = options;
        const results = await benchmark(models, { ...common, streams, seconds, onProgress: out.progress() });
        const layers: LayerTime[][] = [];
        if (options.perLayer) for (const model of models) layers.push(await profileLayers(model, common));
        const host = hostInfo(options);
        out.line(`${host.cpu}, ${host.isa}, ${host.threads} threads`);
        out.table(resultHead, results.map(resultRow));
        for (const [i, list] of layers.entries()) {
          out.line(`\n${files[i]}`);
          out.table(layerHead, list.map(layerRow));
          out.table(kernelHead, kernelTimes(list).map(kernelRow));
        }
        out.json({
          host,
          models: results.map((r, i) => (layers[i] ? { ...r, layers: layers[i] } : r)),
        });
      }),
    );
  },
};

/** A model that may lack inputs of `--shape`, which the other models have. */
async function openOneOf(file: string, options: Options, signal: AbortSignal): Promise<Model> {
  try {
    return await openShaped(file, options, signal);
  } catch (error) {
    if (error instanceof LowpError && error.code === 'ERR_GRAPH_NAME') return openModel(file, { signal });
    throw error;
  }
}

/** What the models ran on: the level in force is the lower of the machine's and the one asked for. */
function hostInfo(options: Options): { cpu: string; isa: string; threads: number } {
  const { isa, brand, cores } = cpuInfo();
  const level = Math.min(isaNames.indexOf(isa), isaNames.indexOf(options.maxIsa ?? 'native'));
  return { cpu: brand, isa: isaNames[level]!, threads: options.threads ?? cores };
}

const resultHead = ['model', 'precision', 'streams', 'median ms', 'p95 ms', 'per second', 'weights', 'faster'];

function resultRow(r: ModelBenchmark): string[] {
  return [
    r.path,
    r.precision,
    `${r.streams}`,
    r.latencyMs.median.toFixed(3),
    r.latencyMs.p95.toFixed(3),
    r.throughputPerSecond.toFixed(1),
    formatBytes(r.weightBytes),
    `${r.ratioToFirst.latencyMedian.toFixed(2)} ×`,
  ];
}

const layerHead = ['layer', 'kernel', 'ms', 'share', 'GOPS', 'GB/s'];

function layerRow(l: LayerTime): string[] {
  const kernel = l.kernel === 'host' ? `host: ${l.row}` : l.row;
  return [l.name, kernel, l.ms.toFixed(4), percent(l.share), l.gops.toFixed(1), l.gbps.toFixed(1)];
}

const kernelHead = ['kernel', 'layers', 'ms', 'share', 'GOPS'];

function kernelRow(k: KernelTime): string[] {
  return [k.kernel, `${k.layers}`, k.ms.toFixed(4), percent(k.share), k.gops.toFixed(1)];
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
