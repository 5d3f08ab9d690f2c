import { useEffect, useState } from "preact/hooks";
import { type Address, type Changes, formatAddress, linkOf, parseAddress, withChanges } from "./address.ts";
import { zoneOf, zoneSetting } from "./zone.ts";

const readAddress = (): Address => parseAddress(location.hash);

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
  linkOf(path, { timezone: zoneSetting(zoneOf(parseAddress(location.hash).query)), ...query });

/** Changes settings of the current view. The back button restores them. */
export function setQuery(changes: Changes): void {
  const { path, query } = parseAddress(location.hash);
  go(formatAddress({ path, query: withChanges(query, changes) }));
}
