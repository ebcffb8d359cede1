// Writes docs/reference/errors.md, limits.md and operations.md from the registries of the compiled library, and the
// table of operations into README.md between <!-- operations:begin --> and <!-- operations:end -->.
//
//   node scripts/gen-docs.mjs                 writes the files
//   node scripts/gen-docs.mjs --check         exits with 1 and names the files that are not what it would write
//   node scripts/gen-docs.mjs --from FOLDER   reads another build than dist
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: { check: { type: 'boolean', default: false }, from: { type: 'string', default: 'dist' } },
});
const load = (file) => import(pathToFileURL(path.resolve(root, values.from, 'lib', file)).href);

const { codes } = await load('errors/codes.js');
const { limits } = await load('errors/limits.js');
const { allOps } = await load('ops/index.js');
const { importers } = await load('formats/onnx/import/index.js');
const { exporters } = await load('formats/onnx/export/index.js');

const notice = '<!-- Written by scripts/gen-docs.mjs. Do not edit. -->';

/** The ends and the links of a graph: no computation. */
const notComputed = new Set(['Parameter', 'Constant', 'Result']);

const exits = [
  [0, 'The command did what it was asked for.'],
  [1, 'Internal: a defect in lowp, or an installation that is not whole.'],
  [2, 'Usage or configuration.'],
  [3, 'The model is not valid.'],
  [4, 'The model is valid, but not supported.'],
  [5, 'The dataset does not fit.'],
  [6, 'A quality gate failed.'],
  [7, 'A limit was reached.'],
  [8, 'A file cannot be read or written.'],
  [130, 'Interrupted by a signal.'],
];

function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function errorsPage() {
  const rows = Object.entries(codes).map(([code, { exit, meaning }]) => [`\`${code}\``, `${exit}`, meaning]);
  return `${notice}

# Errors

Everything that lowp throws for bad input is a \`LowpError\` with a stable \`code\`. The command line writes the message and the code to stderr and ends with the exit code; with \`--json\` it also prints \`{ "schemaVersion", "error": { "code", "message", "help", "path", "node" } }\`.

## Exit codes

${table(
  ['exit', 'meaning'],
  exits.map(([exit, meaning]) => [`${exit}`, meaning]),
)}

## Codes

${table(['code', 'exit', 'meaning'], rows)}
`;
}

/** One row for each type; what any revision can do counts. */
function operationRows() {
  return [...groupByType(allOps())].flatMap(([type, revisions]) => {
    if (notComputed.has(type)) return [];
    const opsets = revisions.map((r) => r.opset.replace('opset', '')).join(', ');
    const isWritten = exporters.has(type) || revisions.some((r) => r.expand && !r.expandsToOwn);
    return [[type, opsets, floatForm(revisions), byteForm(revisions), isWritten ? 'yes' : '']];
  });
}

function groupByType(ops) {
  const groups = new Map();
  for (const op of ops) groups.set(op.type, [...(groups.get(op.type) ?? []), op]);
  return groups;
}

function floatForm(revisions) {
  if (!revisions.some((r) => r.lower)) return revisions.some((r) => r.expand) ? 'by others' : 'host';
  return revisions.some((r) => r.canLower) ? 'native, most forms' : 'native';
}

function byteForm(revisions) {
  const modes = revisions.flatMap((r) => r.bytesModes ?? [r.runtime?.bytes]);
  if (modes.some((mode) => ['product', 'multiply', 'combine', 'move'].includes(mode))) return 'native';
  return revisions.some((r) => r.asPostOp) ? 'fused' : '';
}

function operationsTable() {
  return table(['operation', 'opset', 'FP32', 'INT8', 'to ONNX'], operationRows());
}

const legend = `FP32: \`native\` runs on a kernel, \`most forms\` leaves rare ones to the host, \`by others\` becomes operations that run so, \`host\` is evaluated in doubles between native calls. INT8: \`native\` reads and writes bytes, \`fused\` happens inside the operation before it; FakeQuantize decides the format of the bytes. What is folded before anything runs, such as batch normalization behind a convolution, needs neither. Opset: the revisions of OpenVINO's operation sets that are told apart.`;

function operationsPage() {
  const names = [...importers.keys()].sort().map((name) => `\`${name}\``);
  return `${notice}

# Operations

${legend}

${operationsTable()}

## Operators that are read from ONNX

${names.join(', ')}.
`;
}

/** The README with the table between its markers; undefined when it has none. */
function readme(text) {
  const [begin, end] = ['<!-- operations:begin -->', '<!-- operations:end -->'];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) return undefined;
  const rows = operationRows();
  const native = rows.filter((r) => r[2] !== 'host').length;
  const summary = `${rows.length} operations, ${native} of them native; ${importers.size} ONNX operators are read`;
  const body = `<details><summary>${summary}</summary>\n\n${legend}\n\n${operationsTable()}\n\n</details>`;
  return `${text.slice(0, from + begin.length)}\n${body}\n${text.slice(to)}`;
}

function limitsPage() {
  const rows = Object.values(limits).map(({ value, unit, meaning }) => [`${value} ${unit}`, meaning]);
  return `${notice}

# Limits

What is read is bounded; more is refused with \`ERR_LIMIT_SIZE\` or the code of the file or shape it concerns. \`lowp doctor\` prints the same list.

${table(['at most', 'what'], rows)}
`;
}

const pages = new Map([
  ['docs/reference/limits.md', limitsPage()],
  ['docs/reference/errors.md', errorsPage()],
  ['docs/reference/operations.md', operationsPage()],
]);
const readmeFile = path.join(root, 'README.md');
const readmeText = existsSync(readmeFile) ? readme(readFileSync(readmeFile, 'utf8')) : undefined;
if (readmeText !== undefined) pages.set('README.md', readmeText);

const stale = [...pages].filter(([file, text]) => {
  const target = path.join(root, file);
  return !existsSync(target) || readFileSync(target, 'utf8') !== text;
});
if (values.check) {
  for (const [file] of stale) console.error(`${file} is out of date; run: node scripts/gen-docs.mjs`);
  process.exitCode = stale.length > 0 ? 1 : 0;
} else {
  for (const [file, text] of stale) {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
    console.log(`wrote ${file}`);
  }
}
