// Runs passes: each one is verified, reported as an event, and dumped as text when LOWP_DUMP names a folder.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LowpError, throwIfAborted } from '../errors/lowp-error.ts';
import { removeDead } from '../graph/edit.ts';
import { editCount } from '../graph/edit-count.ts';
import type { Model } from '../graph/model.ts';
import type { Node } from '../graph/node.ts';
import { printModel } from '../graph/print.ts';
import { verify } from '../graph/verify.ts';
import { findOp } from '../ops/registry.ts';
import type { Pass, PassContext } from './pass.ts';

/** How passes are run. */
export interface PassOptions extends PassContext {
  /** Folder for the text of the model after each pass; default: the environment variable `LOWP_DUMP`. */
  readonly dump?: string | undefined;
}

/**
 * Runs the passes in their order, in place. Nodes that nobody needs any more are removed after each pass that edits.
 *
 * Emits `pass:done` for each pass.
 *
 * @throws {LowpError} what a pass throws, with the name of the pass in the message; `ERR_GRAPH_INVALID` when a pass
 *   leaves an inconsistent model; `ERR_ABORTED`
 */
export function runPasses(model: Model, passes: readonly Pass[], options: PassOptions = {}): void {
  const folder = options.dump ?? process.env.LOWP_DUMP;
  if (folder) dump(model, folder, 0, 'before');
  for (const [i, pass] of passes.entries()) {
    throwIfAborted(options.signal);
    const start = performance.now();
    const matches = runVerified(model, pass, i === 0, options);
    options.onEvent?.({ kind: 'pass:done', name: pass.name, matches, ms: performance.now() - start });
    if (folder) dump(model, folder, i + 1, pass.name);
  }
}

function runVerified(model: Model, pass: Pass, isFirst: boolean, context: PassContext): number {
  try {
    const before = editCount();
    const matches = pass.run(model, context);
    // What is given is checked by the first pass.
    if (isFirst || editCount() !== before) {
      removeDead(model, isSink);
      verify(model);
    }
    return matches;
  } catch (error) {
    if (!(error instanceof LowpError) || error.code === 'ERR_ABORTED') throw error;
    throw new LowpError(error.code, `pass ${pass.name}: ${error.message}`, {
      cause: error,
      ...(error.help === undefined ? {} : { help: error.help }),
      ...(error.node === undefined ? {} : { node: error.node }),
    });
  }
}

/** Nodes that act without being read: they write variables. */
export function isSink(node: Node): boolean {
  return findOp(node.type, node.notes.opset)?.stateful === true;
}

/** Writes `03-fuse-batch-norm.txt`. */
function dump(model: Model, folder: string, step: number, name: string): void {
  const path = join(folder, `${String(step).padStart(2, '0')}-${name}.txt`);
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(path, printModel(model));
  } catch (cause) {
    throw new LowpError('ERR_IO_WRITE', `LOWP_DUMP: '${path}' cannot be written`, { path, cause });
  }
}
