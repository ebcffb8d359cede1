// The command `lowp`: finds the command that the arguments name and runs it.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Command, CommanderError } from 'commander';
import { LowpError } from '../errors/lowp-error.ts';
import { packageRoot } from '../util/package-root.ts';
import { type CliCommand, report } from './command.ts';
import { Output } from './output.ts';
import { keepYoungGenerationSmall } from './young-generation.ts';

interface CommandEntry {
  /** Commands are loaded when they are needed: each brings what it works with. */
  load(): Promise<CliCommand>;
  /** Reads as many samples as there are: its memory should not depend on their number. */
  readonly streamsSamples?: true;
}

const commands: Readonly<Record<string, CommandEntry>> = {
  quantize: {
    load: async () => (await import('./commands/quantize.ts')).quantizeCommand,
    streamsSamples: true,
  },
  run: { load: async () => (await import('./commands/run.ts')).runCommand },
  evaluate: {
    load: async () => (await import('./commands/evaluate.ts')).evaluateCommand,
    streamsSamples: true,
  },
  benchmark: { load: async () => (await import('./commands/benchmark.ts')).benchmarkCommand },
  inspect: { load: async () => (await import('./commands/inspect.ts')).inspectCommand },
  convert: { load: async () => (await import('./commands/convert.ts')).convertCommand },
  doctor: { load: async () => (await import('./commands/doctor.ts')).doctorCommand },
  hwbench: { load: async () => (await import('./commands/hwbench.ts')).hwbenchCommand },
  demo: { load: async () => (await import('./commands/demo.ts')).demoCommand },
};

const exitCodeHelp = `
Exit codes: 0 ok, 1 internal, 2 usage or config, 3 model invalid, 4 model not supported, 5 dataset,
6 quality gate failed, 7 limit reached, 8 file input/output, 130 interrupted.`;

/** The program with the command that the arguments name, or with all of them for help and suggestions. */
async function buildProgram(args: readonly string[]): Promise<Command> {
  const program = new Command('lowp')
    .description('Quantize neural networks to 8 bits and run them fast and exactly on the CPU.')
    .version(packageVersion())
    .showHelpAfterError('(lowp <command> --help shows the options)')
    .addHelpText('after', exitCodeHelp)
    .exitOverride();
  const first = args[0] ?? '';
  const isVersion = first === '--version' || first === '-V';
  const needed = Object.hasOwn(commands, first) ? [first] : isVersion ? [] : Object.keys(commands);
  for (const name of needed) (await commands[name]!.load()).register(program);
  return program;
}

function packageVersion(): string {
  const text = readFileSync(path.join(packageRoot(), 'package.json'), 'utf8');
  return String((JSON.parse(text) as { version: unknown }).version);
}

/** What commander refuses is a mistake in the command line; help and the version are no errors. */
function reportUsage(error: CommanderError, out: Output): number {
  if (error.exitCode === 0) return 0;
  const usage = new LowpError('ERR_CLI_USAGE', error.message.replace(/^error: /, ''));
  out.json({ error: usage.toJSON() });
  return usage.exitCode;
}

/** Runs the command line; `process.exitCode` tells how it went. */
export async function runCommandLine(args: readonly string[]): Promise<void> {
  // A reader that closes early, such as head, is not an error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? 0 : 8);
  });
  if (args[0] !== undefined && Object.hasOwn(commands, args[0]) && commands[args[0]]!.streamsSamples)
    keepYoungGenerationSmall();
  try {
    const program = await buildProgram(args);
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    const out = new Output({ json: args.includes('--json') });
    process.exitCode = error instanceof CommanderError ? reportUsage(error, out) : report(error, out);
  }
}
