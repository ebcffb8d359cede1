// The devices that a model can be compiled for, by the name users give.
import { LowpError } from '../errors/lowp-error.ts';
import type { Engine } from './engine.ts';
import { nativeEngine, simulatingEngine } from './native-engine.ts';
import { doubleEngine, referenceEngine } from './reference-engine.ts';

const engines: Readonly<Record<string, Engine>> = {
  CPU: nativeEngine,
  CPU_FP32: simulatingEngine,
  REFERENCE: referenceEngine,
  REFERENCE_FP64: doubleEngine,
};

/** Names that {@link engineOf} takes. */
export const deviceNames = Object.keys(engines);

/**
 * The engine of a device.
 *
 * @throws {LowpError} `ERR_CONFIG_INVALID` for an unknown name
 */
export function engineOf(device: string): Engine {
  const engine = Object.hasOwn(engines, device) ? engines[device] : undefined;
  if (engine) return engine;
  throw new LowpError('ERR_CONFIG_INVALID', `the device '${device}' is not known; expected ${deviceNames.join(', ')}`);
}
