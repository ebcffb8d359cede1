#!/usr/bin/env node
// The command `lowp`.
import { runCommandLine } from './program.ts';

await runCommandLine(process.argv.slice(2));
