import { useEffect, useState } from "preact/hooks";
import { type Address, type Changes, formatAddress, linkOf, parseAddress, withChanges } from "./address.ts";
import { zoneOf } from "./zone.ts";

/**
 * Reads the address bar. An address without a time zone gets the zone of this browser: a day is another one in another
 * zone, and a link that is passed on must show the same figures to everybody.
 */
function readAddress(): Address {
  const { path, query } = parseAddress(location.hash);
  const timezone = zoneOf(query);
  const address = { path, query: withChanges(query, { timezone }) };
  if (query.get("timezone") !== timezone) history.replaceState(null, "", formatAddress(address));
  return address;
}

/** The current address. It changes by links, by the back button, and by `go`. */
export function useAddress(): Address {
  const [address, setAddress] = useState(readAddress);
  useEffect(() => {
    const follow = (): void => setAddress(readAddress());
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  return address;
}

export const go = (link: string): void => {
  location.hash = link;
};

/** A link to another view, in the time zone of the current one. */
export const linkTo = (path: readonly string[], query: Changes = {}): string =>
  linkOf(path, { ...query, timezone: zoneOf(parseAddress(location.hash).query) });

/** Changes settings of the current view. The back button restores them. */
export function setQuery(changes: Changes): void {
  const { path, query } = parseAddress(location.hash);
  go(formatAddress({ path, query: withChanges(query, changes) }));
}
