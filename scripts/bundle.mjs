// Joins the compiled package into one script, dist/bundle/lowp.cjs, with a file for each entry that loads it: a process
// that imports lowp opens a few files instead of hundreds, and V8 can take the script's bytecode from a file.
//
// zod and protobuf, which every model needs, are joined in: they are half of the files. What they ask for, their
// copyright and licence, goes into NOTICE. Every other dependency stays a package that is loaded when it is needed.
import { chmodSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const joined = ['zod', '@bufbuild/protobuf'];
const outdir = path.join(root, 'dist', 'bundle');

/** Packages that stay outside: dependencies that are not joined. */
function outside() {
  const { dependencies, optionalDependencies } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  return Object.keys({ ...dependencies, ...optionalDependencies }).filter((name) => !joined.includes(name));
}

/** The comment at the head of a file, where it claims copyright. */
function copyrightOf(file) {
  const text = readFileSync(file, 'utf8');
  const head = /^(?:\/\/[^\n]*\n|\s*\n)+/.exec(text)?.[0] ?? /^\/\*[\s\S]*?\*\//.exec(text)?.[0] ?? '';
  return /copyright/i.test(head) ? head.trim() : undefined;
}

/** Licences and copyrights of the packages whose files were joined in. */
function notice(inputs) {
  const files = new Map(joined.map((name) => [name, inputs.filter((file) => file.includes(`/node_modules/${name}/`))]));
  const parts = [...files].map(([name, used]) => {
    const folder = path.join(root, 'node_modules', name);
    const { version, license } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
    const heads = [...new Set(used.map(copyrightOf).filter((head) => head !== undefined))];
    const texts = heads.length > 0 ? heads : [readFileSync(path.join(folder, 'LICENSE'), 'utf8').trim()];
    return [`${name} ${version}, ${license}`, ...texts].join('\n\n');
  });
  return `The files beside this one contain parts of these packages.\n\n${parts.join('\n\n')}\n`;
}

/** What the script exports: the entries of the package, and the command line, which is initialized when it is called. */
const contents = `
export * as index from './lib/index.ts';
export * as graph from './lib/graph/index.ts';
export * as ops from './lib/ops/index.ts';
export const runCommandLine = async (args) => (await import('./lib/cli/program.ts')).runCommandLine(args);
`;

async function joinScript() {
  const { metafile } = await build({
    absWorkingDir: root,
    stdin: { contents, resolveDir: root },
    outfile: path.join(outdir, 'lowp.cjs'),
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    define: { 'import.meta.url': 'moduleUrl' },
    banner: { js: 'const moduleUrl = require("node:url").pathToFileURL(__filename).href;' },
    supported: { 'dynamic-import': false },
    external: outside(),
    metafile: true,
    logLevel: 'warning',
  });
  return Object.keys(metafile.inputs).map((file) => path.resolve(root, file));
}

/** The file of an entry: ES modules name their exports. */
function writeEntry(file, name, values) {
  const loader = path.posix.relative(path.posix.dirname(file), 'load.js');
  const from = loader.startsWith('.') ? loader : `./${loader}`;
  const names = Object.keys(values).sort().join(',\n  ');
  mkdirSync(path.dirname(path.join(outdir, file)), { recursive: true });
  writeFileSync(
    path.join(outdir, file),
    `import { ${name} } from '${from}';\nexport const {\n  ${names},\n} = ${name};\n`,
  );
}

rmSync(outdir, { recursive: true, force: true });
const inputs = await joinScript();
writeFileSync(path.join(outdir, 'NOTICE'), notice(inputs));
cpSync(path.join(root, 'scripts/bundle/load.mjs'), path.join(outdir, 'load.js'));
const entries = await import(path.join(outdir, 'load.js'));
writeEntry('index.js', 'index', entries.index);
writeEntry('graph/index.js', 'graph', entries.graph);
writeEntry('ops/index.js', 'ops', entries.ops);
mkdirSync(path.join(outdir, 'cli'));
const command = path.join(outdir, 'cli', 'main.js');
writeFileSync(
  command,
  `#!/usr/bin/env node
import module from 'node:module';
module.enableCompileCache?.(); // Node.js 22 and later
const { runCommandLine } = await import('../load.js');
await runCommandLine(process.argv.slice(2));
`,
);
chmodSync(command, 0o755);
