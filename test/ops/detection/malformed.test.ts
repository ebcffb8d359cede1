import assert from 'node:assert/strict';
import test from 'node:test';
import { referenceEngine } from '../../../lib/engines/reference-engine.ts';
import type { Tensor } from '../../../lib/tensor/tensor.ts';
import { f32, i64, modelOfCase, type OpCase } from '../../conformance/cases/op-case.ts';

const ssd = { nms_threshold: '0.5', keep_top_k: '2', normalized: '1', num_classes: '2' };
const map = f32([1, 1, 2, 2], [1, 2, 3, 4]);

async function run(op: string, attributes: Record<string, string>, inputs: readonly Tensor[], opset?: string) {
  const c: OpCase = { name: op, op, attributes, inputs, expected: [], tolerance: 0, ...(opset ? { opset } : {}) };
  const { model, feeds } = modelOfCase(c);
  await using executable = await referenceEngine.compile(model);
  await executable.run(feeds);
}

const cases: readonly (readonly [code: string, text: RegExp, ...call: Parameters<typeof run>])[] = [
  [
    'ERR_SHAPE_MISMATCH',
    /confidences/,
    'DetectionOutput',
    ssd,
    [f32([1, 4], [0, 0, 0, 0]), f32([1, 3], [0, 0, 0]), f32([1, 2, 4], new Array(8).fill(0))],
    'opset1',
  ],
  [
    'ERR_SHAPE_MISMATCH',
    /default boxes/,
    'DetectionOutput',
    ssd,
    [f32([1, 4], [0, 0, 0, 0]), f32([1, 2], [0, 0]), f32([1, 1, 4], [0, 0, 0, 0])],
  ],
  [
    'ERR_OP_ATTRIBUTE',
    /keep_top_k/,
    'DetectionOutput',
    { ...ssd, keep_top_k: '' },
    [f32([1, 4], [0, 0, 0, 0]), f32([1, 2], [0, 0]), f32([1, 2, 4], new Array(8).fill(0))],
  ],
  ['ERR_OP_ATTRIBUTE', /density/, 'PriorBox', { offset: '0.5', fixed_size: '4' }, [i64(1, 1), i64(4, 4)]],
  [
    'ERR_OP_ATTRIBUTE',
    /variance/,
    'PriorBox',
    { offset: '0.5', min_size: '4', variance: '1,2' },
    [i64(1, 1), i64(4, 4)],
  ],
  [
    'ERR_OP_ATTRIBUTE',
    /widths/,
    'PriorBoxClustered',
    { offset: '0.5', width: '1,2', height: '1' },
    [i64(1, 1), i64(4, 4)],
  ],
  ['ERR_SHAPE_MISMATCH', /\[N,B,4\]/, 'NonMaxSuppression', {}, [f32([1, 1, 3], [0, 0, 0]), f32([1, 1, 1], [1])]],
  [
    'ERR_SHAPE_MISMATCH',
    /number of boxes/,
    'NonMaxSuppression',
    {},
    [f32([1, 1, 4], [0, 0, 0, 0]), f32([1, 1, 2], [1, 1])],
  ],
  [
    'ERR_SHAPE_MISMATCH',
    /image 3, there are 1/,
    'ROIPooling',
    { pooled_h: '1', pooled_w: '1', spatial_scale: '1' },
    [map, f32([1, 5], [3, 0, 0, 1, 1])],
  ],
  [
    'ERR_SHAPE_MISMATCH',
    /image 1, there are 1/,
    'ROIAlign',
    { pooled_h: '1', pooled_w: '1', sampling_ratio: '1', spatial_scale: '1', mode: 'avg' },
    [map, f32([1, 4], [0, 0, 1, 1]), i64(1)],
  ],
  [
    'ERR_LIMIT_SIZE',
    /samples/,
    'ROIAlign',
    { pooled_h: '1', pooled_w: '1', sampling_ratio: '0', spatial_scale: '1', mode: 'avg' },
    [map, f32([1, 4], [0, 0, 1e9, 1e9]), i64(0)],
  ],
  ['ERR_SHAPE_MISMATCH', /length 5/, 'CTCGreedyDecoderSeqLen', {}, [f32([1, 2, 2], [0, 0, 0, 0]), i64(5)]],
  ['ERR_SHAPE_MISMATCH', /stride/, 'ReorgYolo', { stride: '2' }, [map]],
  [
    'ERR_OP_UNSUPPORTED',
    /class_agnostic/,
    'ExperimentalDetectronDetectionOutput',
    {
      score_threshold: '0',
      nms_threshold: '0',
      num_classes: '1',
      post_nms_count: '1',
      max_detections_per_image: '1',
      max_delta_log_wh: '1',
      deltas_weights: '1,1,1,1',
      class_agnostic_box_regression: 'true',
    },
    [f32([1, 4], [0, 0, 1, 1]), f32([1, 4], [0, 0, 0, 0]), f32([1, 1], [1]), f32([1, 3], [1, 1, 1])],
  ],
];

for (const [code, text, ...call] of cases) {
  test(`${call[0]} says what is wrong: ${text.source}`, async () => {
    await assert.rejects(run(...call), (error: Error & { code?: string }) => {
      assert.equal(error.code, code, error.message);
      assert.match(error.message, text);
      return true;
    });
  });
}
