// Options that several commands share.
import { availableParallelism } from 'node:os';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { InputInfo } from '../data/dataset.ts';
import type { DataOptions } from '../data/open.ts';
import type { SessionOptions } from '../engines/session.ts';
import { LowpError } from '../errors/lowp-error.ts';
import { inputName, type Model } from '../graph/model.ts';
import type { OutputOptions } from './output.ts';

export interface CommonOptions extends OutputOptions {
  readonly threads?: number;
  readonly maxIsa?: NonNullable<SessionOptions['maxIsa']>;
}

export interface DataCliOptions extends Omit<DataOptions, 'color'> {
  readonly data?: string;
  /** A channel order; a boolean comes from `--no-color`. */
  readonly color?: boolean | string;
}

/** A whole number of at least `least`. */
export function integer(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < least)
      throw new InvalidArgumentError(`expected a whole number of at least ${least}.`);
    return value;
  };
}

/** Numbers separated by commas. */
export function numberList(text: string): number[] {
  const values = text.split(',').map(Number);
  if (values.some((v) => !Number.isFinite(v))) throw new InvalidArgumentError('expected numbers separated by commas.');
  return values;
}

/** For options that may be given more than once. */
export function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

/** Adds what every command has. */
export function addCommonOptions(command: Command): Command {
  return command
    .option('--json', 'print one JSON document to stdout')
    .option('--quiet', 'no progress and no remarks')
    .option('--verbose', 'say what is done')
    .option('--no-color', 'no colours (also NO_COLOR)')
    .option('--threads <n>', 'threads (default: physical cores this process may use)', threadCount)
    .addOption(
      new Option('--max-isa <isa>', 'highest instruction set to use (also LOWP_MAX_ISA)').choices([
        'scalar',
        'avx2',
        'avx512',
        'vnni',
        'native',
      ]),
    );
}

function threadCount(text: string): number {
  const value = integer(1)(text);
  const most = Math.max(64, availableParallelism() * 4);
  if (value > most) throw new InvalidArgumentError(`at most ${most} here.`);
  return value;
}

const colorOrders = ['rgb', 'bgr', 'gray'] as const;

/** Adds what describes data. */
export function addDataOptions(command: Command): Command {
  return command
    .option(
      '--data <spec>',
      'FILE.npy, NAME=FILE.npy,…, FILE.npz, a folder or glob of images, or a dataset file (.yaml, .json)',
    )
    .option('--resize <size>', 'images: WxH or short:N')
    .option('--crop <size>', 'images: WxH from the centre')
    .addOption(
      new Option('--interpolation <name>', 'images: how to resize').choices(['linear', 'cubic', 'nearest', 'area']),
    )
    .addOption(new Option('--color <order>', 'images: channels of the model').choices([...colorOrders]))
    .option('--mean <a,b,c>', 'subtracted from 0…255 values, per channel', numberList)
    .option('--scale <a,b,c>', 'divides the difference, per channel', numberList)
    .addOption(new Option('--layout <layout>', 'what the model takes').choices(['NCHW', 'NHWC']))
    .addOption(
      new Option('--source-layout <layout>', '.npy: how the array is laid out, when the model takes another').choices([
        'NCHW',
        'NHWC',
      ]),
    );
}

/** The data fields of parsed options. */
export function dataOptions(
  options: DataCliOptions & { readonly labels?: string | undefined; readonly metric?: readonly string[] | undefined },
): DataOptions {
  const { resize, crop, interpolation, color, mean, scale, layout, sourceLayout, labels, metric } = options;
  const order = colorOrders.find((c) => c === color);
  return { resize, crop, interpolation, color: order, mean, scale, layout, sourceLayout, labels, metrics: metric };
}

/** The session fields of parsed options. */
export function sessionOptions(options: CommonOptions & { device?: string }, signal?: AbortSignal): SessionOptions {
  return {
    ...(options.device === undefined ? {} : { device: options.device }),
    ...(options.threads === undefined ? {} : { threads: options.threads }),
    ...(options.maxIsa === undefined ? {} : { maxIsa: options.maxIsa }),
    ...(signal === undefined ? {} : { signal }),
  };
}

/** The inputs of a model as data has to fit them. The batch axis of samples is free when the model's is dynamic. */
export function inputInfos(model: Model): InputInfo[] {
  return model.parameters().map((p) => ({ name: inputName(p), type: p.output.fact.type, shape: p.output.fact.shape }));
}

/** `NAME=VALUE` pairs; a bare value belongs to `only`. */
export function namedValues(list: readonly string[], only: string | undefined, option: string): Map<string, string> {
  const values = new Map<string, string>();
  for (const text of list) {
    const at = text.indexOf('=');
    const name = at > 0 ? text.slice(0, at) : only;
    if (name === undefined) throw new LowpError('ERR_CLI_USAGE', `${option} ${text}: expected NAME=VALUE`);
    values.set(name, text.slice(at + 1));
  }
  return values;
}

/** The text of `--data`, required. */
export function requireData(options: DataCliOptions, command: string): string {
  if (options.data !== undefined) return options.data;
  throw new LowpError('ERR_CLI_USAGE', `${command} needs --data`, {
    help: `lowp ${command} --help shows what data can be.`,
  });
}
