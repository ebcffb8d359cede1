// Tensors.
export * from './compare.ts';
export * from './convert.ts';
export * from './element-type.ts';
export * from './f16.ts';
export * from './npy.ts';
export * from './shape.ts';
export * from './tensor.ts';
