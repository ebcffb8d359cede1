// Runs one command: Ctrl-C stops it, an error becomes a message and an exit code.
import type { Command } from 'commander';
import { LowpError } from '../errors/lowp-error.ts';
import { Output, type OutputOptions } from './output.ts';

/** Values of `--max-isa` and `LOWP_MAX_ISA`. */
export const isaNames = ['scalar', 'avx2', 'avxvnni', 'avx512', 'vnni', 'amx', 'native'] as const;

/** What a command's action gets besides its arguments. */
export interface CommandContext {
  readonly out: Output;
  /** Aborted by SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
}

/** A command: registers itself with its options and its action. */
export interface CliCommand {
  register(program: Command): void;
}

/** Wraps an action so that errors, signals and exit codes are handled in one place. */
export function action<O extends OutputOptions>(
  run: (args: readonly string[], options: O, context: CommandContext) => Promise<void>,
): (...values: unknown[]) => Promise<void> {
  return async (...values) => {
    const options = values.at(-2) as O;
    const args = values
      .slice(0, -2)
      .flat()
      .filter((v): v is string => typeof v === 'string');
    const out = new Output(options);
    const controller = new AbortController();
    const interrupt = (): void => {
      if (controller.signal.aborted) process.exit(130);
      controller.abort(new Error('interrupted by a signal'));
    };
    process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
    try {
      checkEnvironment();
      await run(args, options, { out, signal: controller.signal });
    } catch (error) {
      out.stopBar();
      process.exitCode = report(error, out);
    } finally {
      process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
    }
  };
}

/** @throws {LowpError} `ERR_CONFIG_INVALID` */
function checkEnvironment(): void {
  const isa = process.env.LOWP_MAX_ISA;
  if (!isa || isaNames.some((name) => name === isa)) return;
  throw new LowpError('ERR_CONFIG_INVALID', `LOWP_MAX_ISA is '${isa}'; expected ${isaNames.join(', ')}`);
}

/** Writes an error for people, or as JSON, and returns the exit code. */
export function report(error: unknown, out: Output): number {
  if (error instanceof LowpError) {
    out.json({ error: error.toJSON() });
    process.stderr.write(`${error.code === 'ERR_ABORTED' ? 'Interrupted.' : `${error.message} (${error.code})`}\n`);
    if (error.help) process.stderr.write(`${error.help}\n`);
    if (out.options.verbose && error.stack) process.stderr.write(`${error.stack}\n`);
    return error.exitCode;
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  out.json({ error: { code: 'ERR_INTERNAL', message: text } });
  process.stderr.write(`This is a defect in lowp (ERR_INTERNAL).\n${text}\n`);
  return 1;
}
