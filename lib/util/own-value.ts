// Values by names that come from files and users.

/** What a record holds under a name: an input may be called like something that every object inherits. */
export function ownValue<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
