// What other tools reach, read from the table of ../shared/peers/RESULTS.md.
import { existsSync, readFileSync } from 'node:fs';

/** One row of the table: numbers as they stand there, in percent for fractions. */
export interface PeerRow {
  readonly fp32: number;
  /** The best of ONNX Runtime and NNCF. */
  readonly best: number;
  readonly tool: string;
}

/** Our metric → how the table writes it; a figure may stand for several values with slashes between them. */
const written: Readonly<Record<string, { readonly metric: string; readonly part?: number; readonly factor?: number }>> =
  {
    'accuracy@1': { metric: 'top-1 %|accuracy %' },
    map: { metric: 'mAP 0.5:0.95' },
    'map@0.5': { metric: 'AP 0.5' },
    miou: { metric: 'mIoU %' },
    'pixel-accuracy': { metric: 'pixel accuracy %' },
    'hr@10': { metric: 'HR@10, ties at half', factor: 100 },
    psnr: { metric: 'PSNR' },
    f1: { metric: 'F1 %' },
    'dice:class=0': { metric: 'Dice', part: 0, factor: 100 },
    'dice:class=1': { metric: 'Dice', part: 1, factor: 100 },
    'dice:class=2': { metric: 'Dice', part: 2, factor: 100 },
  };

/** The row of a model and a metric, undefined when the file or the row is not there. */
export function peerRow(file: string, model: string, metric: string): PeerRow | undefined {
  const how = written[metric];
  if (!how || !existsSync(file)) return undefined;
  const lines = readFileSync(file, 'utf8').split('\n');
  const head = lines.find((l) => /^\| model \| metric/.test(l));
  const tools = head === undefined ? [] : cells(head);
  const row = lines
    .map(cells)
    .find((c) => c[0]?.split(' ')[0] === model && how.metric.split('|').some((m) => c[1]?.startsWith(m)));
  if (!row) return undefined;
  const number = (text: string | undefined): number => {
    const part = text?.split(' / ')[how.part ?? 0] ?? text ?? '';
    const match = /^\d+(\.\d+)?/.exec(part.trim());
    return match ? Number(match[0]) * (how.factor ?? 1) : Number.NaN;
  };
  const fp32 = tools.indexOf('FP32');
  let best = Number.NEGATIVE_INFINITY;
  let tool = '';
  for (let i = fp32 + 1; i < row.length; i++) {
    // "the same" repeats the cell before it.
    const value = number(row[i] === 'the same' ? row[i - 1] : row[i]);
    if (value > best) [best, tool] = [value, tools[i]!];
  }
  return { fp32: number(row[fp32]), best, tool };
}

function cells(line: string): string[] {
  return line.startsWith('|')
    ? line
        .split('|')
        .slice(1, -1)
        .map((c) => c.trim())
    : [];
}
