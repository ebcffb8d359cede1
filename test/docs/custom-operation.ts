// The example of docs/custom-operations.md, as it stands there but for the import; compiled, not run.

import * as z from 'zod';
import { attribute, compile, defineOp, openModel, registerOp, tensor } from '../../lib/index.ts';

registerOp(
  defineOp({
    type: 'Wave',
    opset: 'extension',
    attributes: z.object({ frequency: attribute.float.default(1) }),
    inputs: [1, 1],
    infer: (_, [x]) => [{ type: x!.type, shape: x!.shape }],
    evaluate: ({ frequency }, [x]) => [
      tensor(
        x!.type,
        x!.shape,
        Array.from(x!.data as Float32Array, (v) => Math.sin(frequency * v)),
      ),
    ],
  }),
);

const session = await compile(await openModel('wave.xml'));
const { y } = await session.infer({ x: tensor('f32', [3], [0, 0.5, 1]) });
console.log(y);
await session.close();
