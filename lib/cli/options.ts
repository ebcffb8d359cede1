// Options that several commands share.
import { realpathSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { InputInfo } from '../data/dataset.ts';
import type { DataOptions } from '../data/open.ts';
import type { SessionOptions } from '../engines/session.ts';
import { LowpError } from '../errors/lowp-error.ts';
import { outputFormat } from '../formats/index.ts';
import { inputName, type Model } from '../graph/model.ts';
import { isaNames } from './command.ts';
import type { OutputOptions } from './output.ts';

export interface CommonOptions extends OutputOptions {
  readonly threads?: number;
  readonly maxIsa?: NonNullable<SessionOptions['maxIsa']>;
}

export interface DataCliOptions extends DataOptions {
  readonly data?: string;
}

/** `--no-color` under a name of its own: commands on images have `--color` for their channel order. */
class PlainTextOption extends Option {
  override attributeName(): string {
    return 'terminalColor';
  }
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

/** A number above 0. */
export function positiveNumber(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < Number.POSITIVE_INFINITY)) throw new InvalidArgumentError('expected a number above 0.');
  return value;
}

/** Numbers separated by commas. */
export function numberList(text: string): number[] {
  const values = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
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
    .addOption(new PlainTextOption('--no-color', 'no colours (also NO_COLOR)'))
    .option('--threads <n>', 'threads (default: physical cores this process may use)', threadCount)
    .addOption(new Option('--max-isa <isa>', 'highest instruction set to use (also LOWP_MAX_ISA)').choices(isaNames));
}

/** What computes, of commands that run models. */
export function deviceOption(): Option {
  const devices = 'CPU, CPU_FP32 (quantizers simulated in floats), REFERENCE or REFERENCE_FP64 (doubles)';
  return new Option('--device <name>', devices).default('CPU');
}

function threadCount(text: string): number {
  const value = integer(1)(text);
  const most = Math.max(64, availableParallelism() * 4);
  if (value > most) throw new InvalidArgumentError(`at most ${most} here.`);
  return value;
}

/** Adds what describes data. */
export function addDataOptions(command: Command): Command {
  return command
    .option(
      '--data <spec>',
      'FILE.npy, NAME=FILE.npy,…, FILE.npz, a folder or glob of images, or of .npy or .npz files with a sample each, or a dataset file (.yaml, .json)',
    )
    .option('--resize <size>', 'images: WxH, short:N, letterbox:WxH or factor:F')
    .option('--crop <size>', 'images: WxH from the centre')
    .option(
      '--central-fraction <share>',
      'images: keep this share of height and width, before resizing',
      positiveNumber,
    )
    .addOption(
      new Option('--interpolation <name>', 'images: how to resize').choices([
        'linear',
        'cubic',
        'lanczos3',
        'nearest',
        'area',
      ]),
    )
    .addOption(new Option('--color <order>', 'images: channels of the model').choices(['rgb', 'bgr', 'gray']))
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
  options: DataCliOptions & { readonly metric?: readonly string[] | undefined },
): DataOptions {
  const { resize, crop, centralFraction, interpolation, color, mean, scale, layout, sourceLayout } = options;
  const { labels, metric, reference, limit } = options;
  return {
    ...{ resize, crop, centralFraction, interpolation, color, mean, scale, layout, sourceLayout },
    ...{ labels, metrics: metric, reference, limit },
  };
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

/** The text of `--data`, required, and for real data only. */
export function requireData(options: DataCliOptions, command: string): string {
  if (options.data === 'random' && command === 'evaluate')
    throw new LowpError('ERR_CLI_USAGE', 'random data has no labels to compare with');
  if (options.data !== undefined) return options.data;
  throw new LowpError('ERR_CLI_USAGE', `${command} needs --data`, {
    help: `lowp ${command} --help shows what data can be.`,
  });
}

/**
 * Refuses an output file whose extension is not known, and one that would replace the model it is made from.
 *
 * @throws {LowpError} `ERR_FORMAT_UNSUPPORTED`, `ERR_CLI_USAGE`
 */
export function checkOutputFile(model: string, output: string): void {
  outputFormat(output);
  if (resolved(model) !== resolved(output)) return;
  throw new LowpError('ERR_CLI_USAGE', `${output} is the model itself; it would be replaced`, {
    path: output,
    help: 'Give --output another name.',
  });
}

/** The file behind links, or the path itself when there is none. */
function resolved(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}
