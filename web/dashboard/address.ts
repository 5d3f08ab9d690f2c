/** A view of the dashboard with all its settings. A link holds all of it. */
export interface Address {
  readonly path: readonly string[];
  readonly query: URLSearchParams;
}

/** New values by name. Undefined, an empty text and an empty list remove the name from the link. */
export type Changes = Readonly<Record<string, string | readonly string[] | undefined>>;

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Reads the part of a link after `#`. Browsers do not send it to the server. */
export function parseAddress(hash: string): Address {
  const [path = "", ...query] = hash.replace(/^#/, "").split("?");
  return {
    path: path
      .split("/")
      .filter((part) => part !== "")
      .map(decoded),
    query: new URLSearchParams(query.join("?")),
  };
}

export function formatAddress({ path, query }: Address): string {
  const text = query.toString();
  return `#/${path.map(encodeURIComponent).join("/")}${text === "" ? "" : `?${text}`}`;
}

/** A copy of the query with the changes in it. */
export function withChanges(query: URLSearchParams, changes: Changes): URLSearchParams {
  const changed = new URLSearchParams(query);
  for (const [name, value = ""] of Object.entries(changes)) {
    changed.delete(name);
    for (const text of typeof value === "string" ? [value] : value) {
      if (text !== "") changed.append(name, text);
    }
  }
  return changed;
}

/** A link within the dashboard. */
export const linkOf = (path: readonly string[], query: Changes): string =>
  formatAddress({ path, query: withChanges(new URLSearchParams(), query) });
