// How much garbage of thousands of samples may wait for V8 to collect it.
import { setFlagsFromString } from 'node:v8';

/**
 * The young generation keeps the size that it has, 1 MiB when a process begins, instead of growing to 16 MiB, twice over,
 * with as much in array buffers. All of that is touched sooner or later when samples stream through a process, so that
 * its peak memory would depend on how many there are. Collections come more often and each has less to do: what a
 * quantization takes does not change.
 *
 * Works where V8 grows it by a factor that is a flag (Node.js 20 to 26). A flag of node for its size, such as
 * `--min-semi-space-size=16`, is respected.
 */
export function keepYoungGenerationSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}
