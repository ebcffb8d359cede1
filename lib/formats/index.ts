// The formats of model files.
export { writeFilesAtomically } from './atomic-write.ts';
export { type OpenOptions, openModel } from './open.ts';
export { outputFormat, type SaveOptions, saveModel } from './save.ts';
