/** What a key must be good for. An admin key is good for reading too. */
export type Access = "open" | "read" | "admin";

// The tab's own memory: it is gone when the tab is closed, and no other page of this browser has it.
const NAMES = { open: "", read: "analytics.read-key", admin: "analytics.admin-key" };
const remembered = new Map<string, string>();

function stored(name: string): string | undefined {
  try {
    return remembered.get(name) ?? sessionStorage.getItem(name) ?? undefined;
  } catch {
    // Somebody forbids this page to store anything: then the key lasts until the page is left.
    return remembered.get(name);
  }
}

/** The key to try. An admin key reads, and a key that was given for reading may be an admin's. */
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
