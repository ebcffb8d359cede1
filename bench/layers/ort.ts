// The layers of a network in lowp's kernels and in ONNX Runtime: two processes that take turns.
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { cpusFor, pinned } from '../cpus.ts';
import type { Layer, LayerType } from './lists.ts';
import { layerLine } from './lists.ts';
import type { OrtReply, OrtRequest } from './ort-process.ts';
import { type Line, type MeasuredLayer, type ProgramOptions, runLayerBench } from './program.ts';

export const ortLabel = 'ORT';

function ask(child: ChildProcess, request: OrtRequest): Promise<OrtReply> {
  return new Promise((resolve, reject) => {
    const ended = (): void => reject(new Error('the process of ONNX Runtime ended'));
    child.once('exit', ended);
    child.once('message', (reply: OrtReply) => {
      child.off('exit', ended);
      if (reply.error === undefined) resolve(reply);
      else reject(new Error(`ONNX Runtime: ${reply.error}`));
    });
    child.send(request);
  });
}

/**
 * Rounds of one turn of all layers in `lowp_layer_bench` and one in ONNX Runtime.
 *
 * @param settings  contestants: lowp only; rounds: of this function
 * @param onLine    gets the lines of the program that are not layers
 */
export async function measureBesideOrt(
  folder: string,
  settings: ProgramOptions,
  layers: readonly Layer[],
  type: LayerType,
  onLine: (line: Line) => void,
): Promise<MeasuredLayer[]> {
  const cpus = cpusFor(settings.threads);
  const child = fork(fileURLToPath(new URL('./ort-process.js', import.meta.url)), cpus ? pinned(cpus) : {});
  try {
    await ask(child, { kind: 'load', layers, type, threads: settings.threads });
    const ours: MeasuredLayer[][] = [];
    const theirs: (readonly number[])[] = [];
    const lines = layers.map((layer) => layerLine(layer, type));
    for (let round = 0; round < settings.rounds; round++) {
      const measured: MeasuredLayer[] = [];
      await runLayerBench(folder, { ...settings, lines, rounds: 1, peaks: settings.peaks && round === 0 }, (line) => {
        if (line.kind === 'layer') measured.push(line);
        else onLine(line);
      });
      ours.push(measured);
      theirs.push((await ask(child, { kind: 'turn', ms: settings.ms })).seconds!);
    }
    return layers.map((_, i) =>
      merge(
        ours.map((m) => m[i]!),
        theirs.map((t) => t[i]!),
      ),
    );
  } finally {
    child.kill();
  }
}

/** One layer out of its rounds. */
function merge(ours: readonly MeasuredLayer[], theirs: readonly number[]): MeasuredLayer {
  const first = ours[0]!;
  const lowp = first.contestants[0]!;
  const rounds = lowp.error === undefined ? { rounds: ours.map((m) => m.contestants[0]!.rounds![0]!) } : {};
  return {
    ...first,
    repeats: ours.reduce((sum, m) => sum + m.repeats, 0),
    contestants: [
      { ...lowp, ...rounds },
      { label: ortLabel, implementation: 'session of one operation', rounds: theirs },
    ],
  };
}
