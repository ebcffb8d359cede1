// Regions of detectors of two stages, which the corpus does not have: as heads of boxes and of masks read one map.
import { randomTensor } from '../../lib/data/synthetic.ts';
import { addConstant, Model } from '../../lib/graph/index.ts';
import { createNode } from '../../lib/ops/create-node.ts';
import type { Shape } from '../../lib/tensor/shape.ts';
import { tensor } from '../../lib/tensor/tensor.ts';

/** Pixels of the image for one of the map. */
const scale = 16;

/** Corners x0, y0, x1, y1 in pixels of the image, inside of a map. */
function regions(count: number, map: Shape) {
  const random = randomTensor({ name: 'regions', type: 'f32', shape: [count, 4] }, 1).data as Float32Array;
  const share = (i: number): number => Math.abs(random[i]!) % 1;
  const corners = Array.from({ length: count }, (_, r) => {
    const [height, width] = [map[2]! * scale, map[3]! * scale];
    const [x, y] = [share(4 * r) * width * 0.7, share(4 * r + 1) * height * 0.7];
    return [x, y, x + (0.1 + 0.2 * share(4 * r + 2)) * width, y + (0.1 + 0.2 * share(4 * r + 3)) * height];
  });
  return tensor('f32', [count, 4], corners.flat());
}

export function regionNetwork(): Model {
  const model = new Model('regions');
  for (const [bins, count] of [
    [7, 300],
    [14, 100],
  ] as const) {
    const shape = [1, 256, 50, 68];
    const x = createNode(model, {
      ...{ type: 'Parameter', name: `map${bins}`, attributes: { element_type: 'f32', shape }, inputs: [] },
    }).output;
    const rois = addConstant(model, `regions${bins}`, regions(count, shape)).output;
    const images = addConstant(model, `images${bins}`, tensor('i64', [count], new BigInt64Array(count))).output;
    const align = { pooled_h: bins, pooled_w: bins, sampling_ratio: 2, spatial_scale: 1 / scale, mode: 'avg' };
    const y = createNode(model, {
      type: 'ROIAlign',
      name: `align${bins}`,
      attributes: align,
      inputs: [x, rois, images],
    });
    createNode(model, { type: 'Result', name: `result${bins}`, attributes: {}, inputs: [y.output] });
  }
  return model;
}
