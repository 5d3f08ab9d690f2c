/** The access that a request needs. An admin key has read access too. */
export type Access = "open" | "read" | "admin";

// Session storage: it is cleared when the tab is closed, and other tabs cannot read it.
const NAMES = { open: "", read: "analytics.read-key", admin: "analytics.admin-key" };
const remembered = new Map<string, string>();

function stored(name: string): string | undefined {
  try {
    return remembered.get(name) ?? sessionStorage.getItem(name) ?? undefined;
  } catch {
    // Storage is disabled: the key lasts until the page is left.
    return remembered.get(name);
  }
}

/** The key to send. An admin key can read, and a key given for reading may be an admin key.  */
export function keyFor(access: Access): string | undefined {
  if (access === "open") return undefined;
  const [first, second] = access === "admin" ? [NAMES.admin, NAMES.read] : [NAMES.read, NAMES.admin];
  return stored(first) ?? stored(second);
}

export const hasKeys = (): boolean => keyFor("read") !== undefined;

export function keepKey(access: Access, key: string): void {
  remembered.set(NAMES[access], key);
  try {
    sessionStorage.setItem(NAMES[access], key);
  } catch {}
}

export function forgetKeys(): void {
  remembered.clear();
  try {
    for (const name of [NAMES.read, NAMES.admin]) sessionStorage.removeItem(name);
  } catch {}
}
