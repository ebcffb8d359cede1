// An operation without a kernel, for tests of what runs on the host.
import { noAttributes } from '../../lib/ops/attribute.ts';
import { definePointwise } from '../../lib/ops/elementwise/pointwise.ts';
import { registerOp } from '../../lib/ops/index.ts';

const definition = definePointwise({
  type: 'HostSinh',
  opset: 'extension',
  attributes: noAttributes,
  function: () => Math.sinh,
});
registerOp(definition);

/** Its type: sinh of each element. */
export const hostOp = definition.type;
