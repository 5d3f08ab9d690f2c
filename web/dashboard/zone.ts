function isZone(name: string | null): name is string {
  try {
    return name !== null && Intl.DateTimeFormat("en", { timeZone: name }) !== undefined;
  } catch {
    return false;
  }
}

/** The time zone of this browser's clock. */
const ownZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** The time zone that a link names. Where it names none that this browser knows, the zone of the browser's clock. */
export const zoneOf = (query: URLSearchParams): string =>
  [query.get("timezone"), ownZone()].find(isZone) ?? "UTC";
