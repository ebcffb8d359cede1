// Joins the compiled package into few files, dist/bundle: a process that imports lowp opens some files instead of hundreds.
//
// zod and protobuf, which every model needs, are joined in: they are half of the files. What they ask for, their
// copyright and licence, goes into NOTICE. Every other dependency stays a package that is loaded when it is needed.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const joined = ['zod', '@bufbuild/protobuf'];
const entries = ['lib/index.ts', 'lib/graph/index.ts', 'lib/ops/index.ts', 'lib/cli/main.ts'];

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

const outdir = path.join(root, 'dist', 'bundle');
rmSync(outdir, { recursive: true, force: true });
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: entries,
  outdir,
  outbase: 'lib',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  external: outside(),
  chunkNames: 'chunks/[name]-[hash]',
  metafile: true,
  logLevel: 'warning',
});
const inputs = Object.keys(metafile.inputs).map((file) => path.resolve(root, file));
writeFileSync(path.join(outdir, 'NOTICE'), notice(inputs));
