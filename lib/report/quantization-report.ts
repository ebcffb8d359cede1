// The report of a quantization: what became INT8, what did not and why.
import type { QuantizeReport } from '../quantize.ts';
import { barChart } from './charts.ts';
import { htmlPage, htmlTable, paragraph, writePage } from './html.ts';

/** Writes the report as one HTML page. */
export async function writeQuantizationReport(file: string, report: QuantizeReport): Promise<void> {
  const quantized = report.nodes.filter((n) => n.quantized);
  const floats = report.nodes.filter((n) => !n.quantized);
  const { before, after } = report.weightBytes;
  const page = htmlPage('Quantization report', [
    {
      title: 'Summary',
      body: [
        htmlTable(
          ['', ''],
          [
            ['quantized operations', `${quantized.length}`],
            ['other operations', `${floats.length}`],
            ['calibration samples', `${report.samples}`],
            ['weights before', `${before} bytes`],
            ['weights after', `${after} bytes (${((100 * after) / before).toFixed(1)} %)`],
            [
              'time',
              `${report.seconds.total.toFixed(2)} s, of it calibration ${report.seconds.calibrate.toFixed(2)} s, bias correction ${report.seconds.correct.toFixed(2)} s`,
            ],
          ],
        ),
        barChart('Weights', ['before', 'after'], [{ name: 'MB', values: [before / 1e6, after / 1e6] }], 'MB'),
      ],
    },
    ...(report.warnings.length > 0 ? [{ title: 'Warnings', body: report.warnings.map(paragraph) }] : []),
    {
      title: 'Not quantized',
      body: [
        paragraph('Biases and activations usually run inside the quantized operation in front of them all the same.'),
        htmlTable(
          ['node', 'type', 'because'],
          floats.map((n) => [n.name, n.type, n.reason]),
        ),
      ],
    },
    {
      title: 'Quantized',
      body: [
        htmlTable(
          ['node', 'type', 'because'],
          quantized.map((n) => [n.name, n.type, n.reason]),
        ),
      ],
    },
  ]);
  await writePage(file, page);
}
