import { useEffect, useState } from "preact/hooks";
import { type Address, type Changes, formatAddress, parseAddress, withChanges } from "./address.ts";

/** The address, as it changes by links, by the back button, and by `go`. */
export function useAddress(): Address {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const follow = (): void => setHash(location.hash);
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  return parseAddress(hash);
}

export const go = (link: string): void => {
  location.hash = link;
};

/** Sets what is said in the link of the view that is open; the back button takes it back. */
export function setQuery(changes: Changes): void {
  const { path, query } = parseAddress(location.hash);
  go(formatAddress({ path, query: withChanges(query, changes) }));
}
