// npm test: builds what is out of date, then runs the C++ and the TypeScript tests, and ends with `N passed, N failed`.
//
//   node scripts/test.mjs [group...]   groups: kernels unit native conformance e2e (default: all)
//
// Unit tests share one process; the others run one process per file, so that a crash names its file.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { run } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);

const separate = ['native', 'conformance', 'e2e'];
const wanted = process.argv.slice(2);
const inGroup = (name) => wanted.length === 0 || wanted.includes(name);
const total = { passed: 0, failed: 0, skipped: 0 };

/** Test files below dist/test, by first folder. */
function testFiles() {
  const groups = { unit: [], native: [], conformance: [], e2e: [] };
  for (const name of readdirSync('dist/test', { recursive: true })) {
    if (!name.endsWith('.test.js')) continue;
    const folder = name.split(path.sep)[0];
    groups[separate.includes(folder) ? folder : 'unit'].push(path.join(root, 'dist/test', name));
  }
  for (const list of Object.values(groups)) list.sort();
  return groups;
}

/**
 * One file that imports all unit tests, so that they share a process. Properties draw the same cases every time;
 * LOWP_PROPERTY_SEED=n draws others.
 */
function unitEntry(files) {
  const entry = path.join(root, 'dist/test/all-units.mjs');
  const imports = files.map((f) => `await import(${JSON.stringify(`./${path.relative(path.dirname(entry), f)}`)});\n`);
  const seed = `import fc from 'fast-check';\nfc.configureGlobal({ seed: Number(process.env.LOWP_PROPERTY_SEED ?? 1) });\n`;
  writeFileSync(entry, seed + imports.join(''));
  return entry;
}

/** Runs test files and counts their tests; failures are printed as they happen. */
async function runFiles(title, files) {
  const started = Date.now();
  const before = { ...total };
  const stream = run({ files, concurrency: 1, timeout: 15 * 60_000 });
  stream.on('test:pass', ({ details, skip, name }) => {
    if (details.type === 'suite') return;
    if (skip) {
      total.skipped++;
      console.log(`skipped: ${name}${typeof skip === 'string' ? ` (${skip})` : ''}`);
    } else if (!isFile(name)) total.passed++;
  });
  stream.on('test:fail', ({ name, file, details }) => {
    const cause = details.error?.cause ?? details.error;
    if (details.type === 'suite' || details.error?.failureType === 'subtestsFailed') return;
    total.failed++;
    console.log(`FAILED ${path.relative(root, file ?? '')}: ${name}\n${cause?.stack ?? cause}\n`);
  });
  stream.on('test:stderr', ({ message }) => process.stderr.write(message));
  for await (const _ of stream);
  const passed = total.passed - before.passed;
  const failed = total.failed - before.failed;
  console.log(`${title}: ${passed} passed, ${failed} failed, ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

/** The event of a whole file carries its path as the name. */
function isFile(name) {
  return name.endsWith('.js') || name.endsWith('.mjs');
}

/** Builds and runs the GoogleTest binary on every instruction set; says so when GoogleTest is missing. */
function kernelTests() {
  const folder = 'build/tests';
  const configured = spawnSync(
    'cmake',
    ['-S', '.', '-B', folder, '-DCMAKE_BUILD_TYPE=Release', '-DLOWP_BUILD_TESTS=ON'],
    { encoding: 'utf8' },
  );
  if (configured.status !== 0 || /GoogleTest was not found/.test(configured.stdout + configured.stderr)) {
    console.log('kernels: left out, because GoogleTest is not installed (Debian: apt-get install libgtest-dev)');
    return;
  }
  execFileSync('cmake', ['--build', folder, '--target', 'lowp_tests', '-j', '2'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  for (const isa of ['scalar', 'avx2', 'avx512', 'native']) {
    const result = spawnSync(path.join(folder, 'lowp_tests'), ['--gtest_brief=1'], {
      env: { ...process.env, LOWP_MAX_ISA: isa },
      encoding: 'utf8',
    });
    const passed = Number(/\[ {2}PASSED {2}\] (\d+) test/.exec(result.stdout)?.[1] ?? 0);
    const failed = Number(/(\d+) FAILED TEST/.exec(result.stdout)?.[1] ?? (result.status === 0 ? 0 : 1));
    total.passed += passed;
    total.failed += failed;
    if (failed > 0) console.log(result.stdout + result.stderr);
    console.log(`kernels, ${isa}: ${passed} passed, ${failed} failed`);
  }
}

/** Newest change below some folders, in milliseconds. */
function newest(...folders) {
  let time = 0;
  for (const folder of folders) {
    for (const name of readdirSync(folder, { recursive: true }))
      time = Math.max(time, statSync(path.join(folder, name)).mtimeMs);
  }
  return time;
}

const marker = 'dist/test/all-units.mjs';
if (!existsSync(marker) || statSync(marker).mtimeMs < newest('lib', 'test', 'bench', 'native')) {
  execFileSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' });
}
mkdirSync('build', { recursive: true });
const files = testFiles();
if (inGroup('kernels')) kernelTests();
if (inGroup('unit')) await runFiles('unit', [unitEntry(files.unit)]);
for (const group of separate) if (inGroup(group) && files[group].length > 0) await runFiles(group, files[group]);
if (total.skipped > 0) console.log(`${total.skipped} skipped, each with its reason above`);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed > 0 ? 1 : 0;
