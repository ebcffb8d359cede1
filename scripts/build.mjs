// npm run build (and npm install in a checkout): TypeScript into dist/, the files that users import into dist/bundle/,
// the addon into build/Release/ when its sources are newer than the binary.
//
//   node scripts/build.mjs [ts] [bundle] [addon]    default: all
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const root = fileURLToPath(new URL('..', import.meta.url));
const binary = path.join(root, 'build', 'Release', 'lowp.node');
const addonSources = ['native/src', 'native/include', 'cmake', 'CMakeLists.txt', 'scripts/native-sources.cjs'];

/** Runs a program of an installed package with this Node.js; true when it succeeded. */
function runPackage(name, file, args) {
  const program = path.join(path.dirname(require.resolve(`${name}/package.json`)), file);
  return spawnSync(process.execPath, [program, ...args], { cwd: root, stdio: 'inherit' }).status === 0;
}

/** Newest modification below a file or folder, in milliseconds; tests and benches do not count. */
function newest(name) {
  const full = path.join(root, name);
  if (/_(test|bench)\.cc$/.test(name)) return 0;
  const status = statSync(full);
  if (!status.isDirectory()) return status.mtimeMs;
  return Math.max(status.mtimeMs, ...readdirSync(full).map((entry) => newest(path.join(name, entry))));
}

function isAvailable(program) {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0;
}

/** Names of build tools that cannot be found. */
function missingTools() {
  const compilers = [process.env.CXX, 'c++', 'g++', 'clang++'].filter((name) => name !== undefined && name !== '');
  const missing = [];
  if (!compilers.some(isAvailable)) missing.push('g++');
  if (!isAvailable('cmake')) missing.push('cmake');
  if (!isAvailable('make') && !isAvailable('ninja')) missing.push('make');
  return missing;
}

function hasPrebuild() {
  const folder = path.join(root, 'prebuilds', `${process.platform}-${process.arch}`);
  return existsSync(folder) && readdirSync(folder).some((name) => name.endsWith('.node'));
}

/** CMake refuses a build folder that was made for a checkout at another place. */
function removeForeignBuild() {
  const cache = path.join(root, 'build', 'CMakeCache.txt');
  if (!existsSync(cache)) return;
  const home = /^CMAKE_HOME_DIRECTORY:INTERNAL=(.*)$/m.exec(readFileSync(cache, 'utf8'))?.[1];
  if (home === undefined || path.resolve(home) !== path.resolve(root)) {
    rmSync(path.join(root, 'build'), { recursive: true, force: true });
  }
}

function buildAddon() {
  if (existsSync(binary) && addonSources.every((name) => newest(name) <= statSync(binary).mtimeMs)) return true;
  const missing = missingTools();
  if (missing.length > 0) {
    const remedy = hasPrebuild()
      ? 'the prebuilt one is used'
      : `install them (Debian: apt-get install ${missing.join(' ')})`;
    process.stderr.write(
      `lowp: the native addon cannot be built because ${missing.join(' and ')} cannot be found; ${remedy}.\n`,
    );
    return hasPrebuild();
  }
  removeForeignBuild();
  const jobs = String(availableParallelism());
  if (
    !runPackage('cmake-js', 'bin/cmake-js', ['build', '--out', 'build', '--parallel', jobs, '--log-level', 'error'])
  ) {
    process.stderr.write('lowp: the native addon could not be built; the messages of the compiler are above.\n');
    return false;
  }
  const now = new Date();
  utimesSync(binary, now, now);
  return true;
}

/** Deletes what was compiled from files that are gone, so that old tests do not run. */
function removeStaleOutput() {
  const dist = path.join(root, 'dist');
  if (!existsSync(dist)) return;
  for (const name of readdirSync(dist, { recursive: true })) {
    if (name.startsWith(`bundle${path.sep}`)) continue;
    const source = /^(.*)(\.js|\.js\.map|\.d\.ts)$/.exec(name)?.[1];
    if (source === undefined || existsSync(path.join(root, `${source}.ts`))) continue;
    rmSync(path.join(dist, name));
  }
}

function buildTypeScript() {
  removeStaleOutput();
  if (runPackage('typescript', 'bin/tsc', ['-p', 'tsconfig.build.json'])) return true;
  process.stderr.write('lowp: the TypeScript sources do not compile; see above.\n');
  return false;
}

function buildBundle() {
  const programs = ['scripts/bundle.mjs', 'scripts/bundle/bytecode.mjs'];
  return programs.every((file) => spawnSync(process.execPath, [file], { cwd: root, stdio: 'inherit' }).status === 0);
}

const parts = process.argv.length > 2 ? process.argv.slice(2) : ['addon', 'ts', 'bundle'];
const steps = { addon: buildAddon, ts: buildTypeScript, bundle: buildBundle };
for (const part of parts) {
  if (!Object.hasOwn(steps, part)) {
    process.stderr.write(`lowp: no build step "${part}", expected ${Object.keys(steps).join(', ')}\n`);
    process.exitCode = 2;
  } else if (!steps[part]()) process.exitCode = 1;
}
