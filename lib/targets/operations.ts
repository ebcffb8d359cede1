// Lists of operation types that the tables of several devices share.

/** Move or select values without changing them, on every device. */
export const movingTypes = [
  'MaxPool',
  'ReduceMax',
  'Reshape',
  'Flatten',
  'Squeeze',
  'Unsqueeze',
  'Split',
  'VariadicSplit',
  'Crop',
  'Transpose',
  'Tile',
  'StridedSlice',
  'ShuffleChannels',
  'Broadcast',
  'Pad',
  'ConvertLike',
  'DepthToSpace',
] as const;

/** Select one of two values: agnostic wherever they are listed. */
export const selectingTypes = ['Minimum', 'Maximum'] as const;

/** Comparison and logic of two values. */
export const comparingTypes = [
  'Less',
  'LessEqual',
  'Greater',
  'GreaterEqual',
  'Equal',
  'NotEqual',
  'FloorMod',
  'LogicalOr',
  'LogicalXor',
  'LogicalAnd',
] as const;

/** What a transformer keeps in floating point. */
export const transformerTypes = [
  'Add',
  'Power',
  'Squeeze',
  'Subtract',
  'ReduceMean',
  'SquaredDifference',
  'MVN',
  'Multiply',
] as const;
