/** An id as the server takes it, an integer as text; undefined for one that it always refuses. */
export function idOf(id: unknown): string | undefined {
  const text = Number.isSafeInteger(id) ? `${id}` : id;
  return typeof text === "string" && text.trim() && ![...text][200] ? text : undefined;
}
