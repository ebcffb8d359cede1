// The addon.
export * from './addon.ts';
export { addon } from './binding.ts';
export * from './cpu-info.ts';
export * from './executable.ts';
