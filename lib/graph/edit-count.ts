// How often models have been changed: what was found out about a model holds until then.
let count = 0;

/** Changes of all models of the process so far: as long as the number is the same, so are they. */
export function editCount(): number {
  return count;
}

/** Called by `edit.ts` with every change of nodes, links or attributes. */
export function noteEdit(): void {
  count++;
}
