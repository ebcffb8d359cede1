// Checks sizes: no source file over 600 lines, no function over 60.
//
// Functions are found by their indentation, which the formatters guarantee: from a line that opens one to the line that
// closes it at the same indentation. Generated files and tables of data do not count.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const folders = ['lib', 'test', 'bench', 'scripts', 'native'];
const endings = ['.ts', '.mjs', '.cjs', '.cc', '.h', '.c'];
const generated = /\.gen\.ts$|onnx_pb\.ts$|native\/generated\/|node_modules\//;
const mostLines = 600;
const mostFunctionLines = 60;

/** A line that ends the head of a named function and opens its body; the first group is its indentation. */
const opensTypeScript =
  /^(\s*)(?:(?:export )?(?:private |protected |public |static |override |async |get |set )*(?:function\*? )?[\w$#]+(?:<[^>]*>)?\([^;]*|\)(?:: [^;]*)? )\{$/;
const opensNative =
  /^(\s*)(?!.*\b(?:namespace|struct|class|enum|union|if|for|while|switch|do|else|return)\b)[\w:<>,*&~\s[\]]+\([^;]*\{$/;
const notAFunction = /=> \{$|^\s*(?:if|for|while|switch|catch|return|describe|test|it|await|else|do)\b/;

function sourceFiles() {
  const files = [];
  for (const folder of folders) {
    for (const name of readdirSync(path.join(root, folder), { recursive: true })) {
      const file = path.posix.join(folder, name.split(path.sep).join('/'));
      if (endings.some((ending) => file.endsWith(ending)) && !generated.test(file)) files.push(file);
    }
  }
  return files.sort();
}

/** The line with the indentation of the head that ends in line `i`: a closing parenthesis has it, else its first line. */
function headOf(lines, i) {
  if (/^\s*\)/.test(lines[i])) return i;
  let first = i;
  while (first > 0 && (/[,(]$/.test(lines[first - 1]) || /^\s*:/.test(lines[first]))) first--;
  return first;
}

/** Functions of a file over the limit: their first line and length. */
function longFunctions(lines, opens) {
  const found = [];
  let end = 0;
  for (let i = 0; i < lines.length; i++) {
    if (i < end || notAFunction.test(lines[i]) || !opens.test(lines[i])) continue;
    const indent = /^\s*/.exec(lines[headOf(lines, i)])[0];
    const close = lines.findIndex((line, j) => j > i && line.startsWith(`${indent}}`));
    if (close < 0) continue;
    if (close - i + 1 > mostFunctionLines) found.push({ line: i + 1, length: close - i + 1 });
    end = close + 1;
  }
  return found;
}

const problems = [];
for (const file of sourceFiles()) {
  const lines = readFileSync(path.join(root, file), 'utf8').split('\n');
  if (lines.at(-1) === '') lines.pop();
  if (lines.length > mostLines) problems.push(`${file}: ${lines.length} lines, at most ${mostLines}`);
  const native = /\.(?:cc|h|c)$/.test(file);
  for (const { line, length } of longFunctions(lines, native ? opensNative : opensTypeScript)) {
    problems.push(`${file}:${line}: a function of ${length} lines, at most ${mostFunctionLines}`);
  }
}
for (const problem of problems) process.stderr.write(`${problem}\n`);
if (problems.length > 0) {
  process.stderr.write(`check-size: ${problems.length} over the limits\n`);
  process.exitCode = 1;
}
