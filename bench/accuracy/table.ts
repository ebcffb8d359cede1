// The page with all figures.
import { spread } from '../statistics.ts';
import type { AccuracyResults, AccuracyRow } from './main.ts';

/** A Markdown page. */
export function accuracyTable({ host, rows }: AccuracyResults): string {
  const head = [
    '| model | metric | samples | FP32 | simulated | INT8 | INT8 − FP32 | goal | calibration samples | seconds |',
    '|---|---|---|---|---|---|---|---|---|---|',
  ];
  return `# Accuracy after quantization

${host.cpu} (${host.isa}), ${host.date.slice(0, 10)}, \`${host.command}\`; lowp ${host.versions.lowp}.

Default settings; the transformer is declared as one. *Simulated* runs FakeQuantize in FP32 (\`--device CPU_FP32\`), *INT8* runs bytes. *Goal* is FP32 plus what the best of ONNX Runtime and NNCF gains or loses on the same model, minus 0.2. Fractions are in percent, PSNR and SI-SDR in dB. Seconds are calibration and correction together, wall time on a shared machine.

The best is the largest of up to seven settings of those tools (weights by channel in all of them, the same calibration samples, partly other test samples); a quantizer that changed nothing would miss the goals that lie above FP32. In brackets: mean and standard deviation over calibrations with other samples, three fifths of them drawn at random (\`--draws\`).

${[...head, ...rows.map(rowText)].join('\n')}

Each row is described by \`bench/accuracy/MODEL.yaml\` and \`MODEL.calibration.yaml\`, for example \`lowp evaluate MODEL --dataset bench/accuracy/MODEL.yaml\`. DTLN is two networks with state that suppress noise 5 dB below speech; \`bench/accuracy/dtln.ts\` runs them block by block, and the noisy signal itself has 5 dB.
`;
}

function rowText(row: AccuracyRow): string {
  const number = (v: number): string => v.toFixed(row.unit === 'dB' ? 3 : 2);
  const goal = row.goal === undefined ? '' : `${number(row.goal)}${row.int8 >= row.goal ? '' : ' **missed**'}`;
  return `| ${[
    row.model,
    row.unit === 'dB' ? `${row.metric}, dB` : row.metric,
    row.samples,
    number(row.fp32),
    number(row.simulated),
    number(row.int8),
    lossText(row, number),
    goal,
    row.calibrationSamples,
    row.seconds.total.toFixed(1),
  ].join(' | ')} |`;
}

/** INT8 − FP32; mean and deviation over other calibration samples behind it, where they were drawn. */
function lossText({ int8, fp32, draws }: AccuracyRow, number: (v: number) => string): string {
  if (!draws) return number(int8 - fp32);
  const { mean, deviation } = spread(draws);
  return `${number(int8 - fp32)} (${number(mean)} ± ${number(deviation)})`;
}
