/**
 * Parses the usual form of a value exactly as its schema does, at a fraction of the cost. Undefined for every other
 * value, which may be valid too: the schema decides, and words the faults.
 */
export type UsualForm<Output> = (value: unknown) => Output | undefined;

/** Whether a value is an object without other fields than these. */
export function hasOnly(
  fields: ReadonlySet<string>,
  value: unknown,
): value is { readonly [field: string]: unknown } {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  for (const field in value) if (!fields.has(field)) return false;
  return true;
}
