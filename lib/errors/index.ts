// Errors with codes.
export * from './assert.ts';
export * from './codes.ts';
export * from './lowp-error.ts';
