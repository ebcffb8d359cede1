// What the command line writes: results to stdout, everything for people's eyes to stderr.
import cliProgress from 'cli-progress';
import type { EventListener } from '../events/events.ts';

export const schemaVersion = 1;

export interface OutputOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  /** False with `--no-color`. */
  readonly terminalColor?: boolean;
}

/** The streams of one command. */
export class Output {
  readonly options: OutputOptions;
  private bar: cliProgress.SingleBar | undefined;

  constructor(options: OutputOptions) {
    this.options = options;
  }

  /** A result for people; not written with `--json`. */
  line(text = ''): void {
    if (!this.options.json) process.stdout.write(`${text}\n`);
  }

  /** The one JSON document of `--json`. */
  json(document: Readonly<Record<string, unknown>>): void {
    if (this.options.json) process.stdout.write(`${JSON.stringify({ schemaVersion, ...document }, undefined, 2)}\n`);
  }

  /** A remark on the work, to stderr. */
  note(text: string): void {
    if (!this.options.quiet) process.stderr.write(`${text}\n`);
  }

  detail(text: string): void {
    if (this.options.verbose) process.stderr.write(`${text}\n`);
  }

  /** A result in columns, its head in bold on a terminal. */
  table(head: readonly string[], rows: readonly (readonly string[])[]): void {
    const [first = '', ...rest] = table(head, rows).split('\n');
    this.line([this.useColor() ? `\u001b[1m${first}\u001b[22m` : first, ...rest].join('\n'));
  }

  /** A listener that shows progress bars with the remaining time on a terminal, and warnings always. */
  progress(): EventListener {
    return (event) => {
      if (event.kind === 'warning') this.note(`warning: ${event.message}`);
      else if (event.kind === 'phase:start') {
        this.detail(`${event.phase} …`);
        this.startBar(event.phase, event.total);
      } else if (event.kind === 'phase:progress') this.bar?.update(event.done);
      else if (event.kind === 'phase:done') {
        this.stopBar();
        this.detail(`${event.phase}: ${(event.ms / 1000).toFixed(2)} s`);
      } else this.detail(`${event.name}: ${event.matches} matches`);
    };
  }

  stopBar(): void {
    this.bar?.stop();
    this.bar = undefined;
  }

  private startBar(phase: string, total: number | undefined): void {
    if (total === undefined || this.options.quiet || this.options.json || !process.stderr.isTTY) return;
    this.stopBar();
    this.bar = new cliProgress.SingleBar(
      {
        format: `${phase.padEnd(12)} {bar} {percentage}% | {value}/{total} | {eta_formatted} left`,
        hideCursor: true,
        clearOnComplete: true,
        stream: process.stderr,
      },
      cliProgress.Presets.shades_classic,
    );
    this.bar.start(total, 0);
  }

  private useColor(): boolean {
    return this.options.terminalColor !== false && process.env.NO_COLOR === undefined && process.stdout.isTTY === true;
  }
}

/** Columns of text, numbers to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((h, i) => Math.max(h.length, ...rows.map((r) => r[i]?.length ?? 0)));
  const isNumber = head.map((_, i) =>
    rows.every((r) => /^[-+]?[\d.,]+( ?[%×x]| ?[a-zµ]+(\/s)?)?$|^-?$/i.test(r[i] ?? '')),
  );
  const format = (row: readonly string[]): string =>
    row
      .map((cell, i) => (isNumber[i] ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd();
  return [format(head), widths.map((w) => '─'.repeat(w)).join('  '), ...rows.map(format)].join('\n');
}

/** `1.25 MB`: powers of 1000. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const unit = bytes < 1e6 ? 'kB' : bytes < 1e9 ? 'MB' : 'GB';
  const value = bytes / (unit === 'kB' ? 1e3 : unit === 'MB' ? 1e6 : 1e9);
  return `${value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ${unit}`;
}

/** `85.12 %` of a fraction. */
export function formatPercent(fraction: number): string {
  return `${(fraction * 100).toFixed(2)} %`;
}
