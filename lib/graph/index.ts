// Models: nodes connected through ports.
export * from './constant-tree.ts';
export * from './edit.ts';
export * from './model.ts';
export * from './node.ts';
export * from './pattern.ts';
export * from './print.ts';
export * from './sub-graph.ts';
export * from './topological.ts';
export * from './verify.ts';
