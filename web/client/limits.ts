import type { Report } from "./reports.ts";

/** An id as the server takes it, an integer as text; undefined for one that it always refuses. */
export function idOf(id: unknown): string | undefined {
  const text = Number.isSafeInteger(id) ? `${id}` : id;
  return typeof text === "string" && text.trim() && ![...text][200] ? text : undefined;
}

/** The id of a user in the form that the server takes. One that it always refuses is reported, and undefined. */
export function userIdOf(id: unknown, report: Report): string | undefined {
  const known = idOf(id);
  if (!known && id != null) report(`no user_id ${id}`);
  return known;
}
