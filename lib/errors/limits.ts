/**
 * Every bound on what is read: sizes, counts and depths beyond these are refused with a code before memory is asked for.
 * Real models and data stay far below.
 */
export interface Limit {
  readonly value: number;
  readonly unit: string;
  readonly meaning: string;
}

export const limits = {
  tensorElements: {
    value: 2 ** 40,
    unit: 'elements',
    meaning: 'Of a tensor; sizes stay exact in a double and in a signed 64-bit integer.',
  },
  stringBytes: { value: 2 ** 31 - 1, unit: 'bytes', meaning: 'Of a tensor of strings, with the place of each.' },
  rank: { value: 64, unit: 'dimensions', meaning: 'Of a tensor.' },
  nodeOutputs: { value: 65536, unit: 'outputs', meaning: 'Of a node, for example of a Split.' },
  windowTaps: { value: 2 ** 20, unit: 'elements', meaning: 'Of a window along one axis.' },
  windowSteps: { value: 2 ** 31 - 1, unit: 'elements', meaning: 'Of a stride, a dilation or padding.' },
  xmlCharacters: { value: 2 ** 29 - 64, unit: 'characters', meaning: 'Of the `.xml` of an IR.' },
  xmlElements: { value: 50_000_000, unit: 'elements', meaning: 'Of the `.xml` of an IR.' },
  xmlAttributes: { value: 4096, unit: 'attributes', meaning: 'Of an element of the `.xml`.' },
  xmlDepth: { value: 256, unit: 'levels', meaning: 'Elements inside each other in the `.xml`.' },
  onnxBytes: {
    value: 2 ** 31 - 1,
    unit: 'bytes',
    meaning: 'Of an `.onnx`, one message of protobuf; weights beyond that are external data.',
  },
  onnxDepth: { value: 64, unit: 'levels', meaning: 'Messages inside each other in an `.onnx`.' },
  functionDepth: {
    value: 32,
    unit: 'levels',
    meaning: 'Calls inside each other of functions that an `.onnx` defines.',
  },
  functionNodes: {
    value: 1_000_000,
    unit: 'nodes',
    meaning: 'Of an `.onnx` when all calls of functions are replaced.',
  },
  bodyDepth: { value: 64, unit: 'levels', meaning: 'Bodies of If, Loop and Scan inside each other in an `.onnx`.' },
  bodyNodes: {
    value: 200_000,
    unit: 'nodes',
    meaning: 'Of all bodies in an `.onnx`, those that are written out in each iteration counted each time.',
  },
  sequenceParts: { value: 65_536, unit: 'tensors', meaning: 'Of a sequence that SplitToSequence gives.' },
  sequenceIterations: {
    value: 65_536,
    unit: 'iterations',
    meaning: 'Of a Loop that a sequence passes through, which is written out.',
  },
  nGramComparisons: {
    value: 2 ** 26,
    unit: 'comparisons',
    meaning: 'Of one n-gram size and gap of TfIdfVectorizer, for each row of its input.',
  },
  loopIterations: { value: 2 ** 24, unit: 'iterations', meaning: 'Of one run of a Loop or TensorIterator.' },
  archiveEntryBytes: { value: 2 ** 32, unit: 'bytes', meaning: 'Of an array in an `.npz`.' },
  imagePixels: { value: 0x3fff * 0x3fff, unit: 'pixels', meaning: 'Of an image.' },
} as const satisfies Record<string, Limit>;
