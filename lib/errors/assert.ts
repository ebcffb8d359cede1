/** A defect of the program itself: nobody catches it, and no input may cause it. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/** States what must be true at this point whatever the input was. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}

/** Makes the compiler prove that every case of a union was handled. */
export function unreachable(value: never): never {
  throw new InvariantError(`unexpected value ${JSON.stringify(value)}`);
}
