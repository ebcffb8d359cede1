// A checkout of another commit beside this one, built like this one.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';

const git = (...args: string[]): string => execFileSync('git', args, { encoding: 'utf8' }).trim();

/** The parent of what is here: HEAD when files differ from it, otherwise the commit in front of it. */
export function defaultBase(): string {
  return git('status', '--porcelain', '--', 'lib', 'native', 'scripts', 'package.json', 'CMakeLists.txt') === ''
    ? 'HEAD^'
    : 'HEAD';
}

export interface BaseTree {
  readonly commit: string;
  readonly folder: string;
  remove(): void;
}

/** Checks the revision out into a temporary git worktree below build/; packages are shared when the lock files are equal. */
export function checkOut(revision: string): BaseTree {
  const commit = git('rev-parse', '--short', '--verify', `${revision}^{commit}`);
  mkdirSync('build', { recursive: true });
  const parent = mkdtempSync(path.resolve('build', 'gate-'));
  const folder = path.join(parent, 'tree');
  const remove = (): void => {
    execFileSync('git', ['worktree', 'remove', '--force', folder], { stdio: 'ignore' });
    rmSync(parent, { recursive: true, force: true });
  };
  git('worktree', 'add', '--detach', '--quiet', folder, commit);
  try {
    const lock = (root: string): string => readFileSync(path.join(root, 'package-lock.json'), 'utf8');
    if (lock(folder) === lock('.')) symlinkSync(path.resolve('node_modules'), path.join(folder, 'node_modules'));
    else run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], folder);
    return { commit, folder, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

/** TypeScript and the addon of a checkout. */
export function build(folder: string): void {
  run(process.execPath, ['scripts/build.mjs'], folder);
}

function run(program: string, args: readonly string[], cwd: string): void {
  // What the program prints is for people and goes to stderr.
  execFileSync(program, args, { cwd, stdio: ['ignore', 2, 2] });
}
