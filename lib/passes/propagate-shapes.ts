// Propagate shapes: types, shapes and small known values of all nodes are inferred again.
import type { Model } from '../graph/model.ts';
import { inferModel } from '../ops/infer-model.ts';
import { sameShape } from '../tensor/shape.ts';
import { definePass } from './pass.ts';

/** Counts the outputs whose type or shape is another one afterwards. */
export const propagateShapes = definePass({
  name: 'propagate-shapes',
  run(model: Model) {
    const before = [...model.nodeById.values()].flatMap((n) => n.outputs.map((port) => ({ port, fact: port.fact })));
    inferModel(model);
    return before.filter(({ port, fact }) => port.fact.type !== fact.type || !sameShape(port.fact.shape, fact.shape))
      .length;
  },
});
