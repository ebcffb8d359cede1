// lowp benchmark: latency and throughput, several models in turns.

import { profileLayers } from '../../benchmark/per-layer.ts';
import { benchmark, type ModelBenchmark } from '../../benchmark/run.ts';
import { LowpError } from '../../errors/lowp-error.ts';
import { openModel } from '../../formats/index.ts';
import { inputName, type Model } from '../../graph/model.ts';
import { cpuInfo } from '../../native/cpu-info.ts';
import { action, type CliCommand } from '../command.ts';
import { addCommonOptions, type CommonOptions, collect, integer, namedValues, sessionOptions } from '../options.ts';
import { formatBytes, table } from '../output.ts';

interface Options extends CommonOptions {
  readonly batch?: number;
  readonly streams: number;
  readonly seconds: number;
  readonly perLayer?: boolean;
  readonly shape?: readonly string[];
  readonly device: string;
}

export const benchmarkCommand: CliCommand = {
  register(program) {
    const command = program
      .command('benchmark <models...>')
      .description('measure models in turns and compare them with the first');
    command
      .option('--batch <n>', 'first dimension of every input', integer(1))
      .option('--streams <n>', 'inferences in flight at the same time', integer(1), 1)
      .option('--seconds <s>', 'measuring time per model', Number, 2)
      .option('--per-layer', 'time and kernel of every layer')
      .option('--shape <name=dims>', 'shape of a dynamic input, NAME=1,3,224,224 (repeat)', collect)
      .option('--device <name>', 'CPU or REFERENCE', 'CPU');
    addCommonOptions(command).action(
      action<Options>(async (files, options, { out, signal }) => {
        if (!(options.seconds > 0)) throw new LowpError('ERR_CLI_USAGE', '--seconds takes a number above 0');
        const models: Model[] = [];
        for (const file of files) models.push(await openModel(file, { signal }));
        const shapes = shapesOf(options.shape ?? [], models);
        const common = {
          ...sessionOptions(options, signal),
          ...(options.batch === undefined ? {} : { batch: options.batch }),
          shapes,
        };
        const results = await benchmark(models, {
          ...common,
          streams: options.streams,
          seconds: options.seconds,
          onProgress: out.progress(),
        });
        const { isa, brand, cores } = cpuInfo();
        const host = { cpu: brand, isa: options.maxIsa ?? isa, threads: options.threads ?? cores };
        out.line(`${host.cpu}, ${host.isa}, ${host.threads} threads`);
        out.line(resultTable(results));
        const layers = options.perLayer ? await Promise.all(models.map((m) => profileLayers(m, common))) : undefined;
        for (const [i, list] of (layers ?? []).entries()) {
          out.line(`\n${files[i]}`);
          out.line(
            table(
              ['layer', 'kernel', 'ms', 'share', 'GOPS'],
              list.map((l) => [l.name, l.row, l.ms.toFixed(4), `${(l.share * 100).toFixed(1)} %`, l.gops.toFixed(1)]),
            ),
          );
        }
        out.json({ host, models: results.map((r, i) => (layers ? { ...r, layers: layers[i] } : r)) });
      }),
    );
  },
};

function resultTable(results: readonly ModelBenchmark[]): string {
  return table(
    ['model', 'precision', 'median ms', 'p95 ms', 'per second', 'weights', 'faster'],
    results.map((r) => [
      r.path,
      r.precision,
      r.latencyMs.median.toFixed(3),
      r.latencyMs.p95.toFixed(3),
      r.throughputPerSecond.toFixed(1),
      formatBytes(r.weightBytes),
      `${r.ratioToFirst.latencyMedian.toFixed(2)} ×`,
    ]),
  );
}

/** @throws {LowpError} `ERR_CLI_USAGE` */
function shapesOf(list: readonly string[], models: readonly Model[]): Record<string, number[]> {
  const first = models[0]?.parameters();
  const shapes: Record<string, number[]> = {};
  for (const [name, text] of namedValues(list, first?.length === 1 ? inputName(first[0]!) : undefined, '--shape')) {
    const dims = text.split(',').map(Number);
    if (dims.some((d) => !Number.isInteger(d) || d < 1))
      throw new LowpError('ERR_CLI_USAGE', `--shape ${name}=${text}: expected sizes like 1,3,224,224`);
    shapes[name] = dims;
  }
  return shapes;
}
