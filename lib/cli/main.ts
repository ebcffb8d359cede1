#!/usr/bin/env node
// The command `lowp`.
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { LowpError } from '../errors/lowp-error.ts';
import { type CliCommand, report } from './command.ts';
import { benchmarkCommand } from './commands/benchmark.ts';
import { convertCommand } from './commands/convert.ts';
import { demoCommand } from './commands/demo.ts';
import { doctorCommand } from './commands/doctor.ts';
import { evaluateCommand } from './commands/evaluate.ts';
import { inspectCommand } from './commands/inspect.ts';
import { quantizeCommand } from './commands/quantize.ts';
import { runCommand } from './commands/run.ts';
import { Output } from './output.ts';

const commands: readonly CliCommand[] = [
  quantizeCommand,
  runCommand,
  evaluateCommand,
  benchmarkCommand,
  inspectCommand,
  convertCommand,
  doctorCommand,
  demoCommand,
];

const exitCodeHelp = `
Exit codes: 0 ok, 1 internal, 2 usage or config, 3 model invalid, 4 model not supported, 5 dataset,
6 quality gate failed, 7 limit reached, 8 file input/output, 130 interrupted.`;

function buildProgram(): Command {
  const program = new Command('lowp')
    .description('Quantize neural networks to 8 bits and run them fast and exactly on the CPU.')
    .version(packageVersion())
    .showHelpAfterError('(lowp <command> --help shows the options)')
    .addHelpText('after', exitCodeHelp)
    .exitOverride();
  for (const command of commands) command.register(program);
  for (const command of program.commands) command.exitOverride();
  return program;
}

function packageVersion(): string {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  return String((JSON.parse(text) as { version: unknown }).version);
}

// A reader that closes early, such as head, is not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 8);
});

try {
  await buildProgram().parseAsync();
} catch (error) {
  if (error instanceof CommanderError)
    process.exitCode = error.exitCode === 0 ? 0 : new LowpError('ERR_CLI_USAGE', error.message).exitCode;
  else process.exitCode = report(error, new Output({}));
}
