/** Values by key, which tabs may share. What was written there by somebody else reads as nothing. */
export interface Store {
  get<Value>(key: string): Value | undefined;
  /** Throws where the value cannot be written as JSON, and never else. */
  set(key: string, value: unknown): void;
  remove(key: string): void;
  /** The keys that begin so, sorted. */
  keys(prefix: string): string[];
}

/** What of Web Storage is used. */
export type Disk = Pick<Storage, "getItem" | "setItem" | "removeItem">;

/**
 * Keeps values on the disk; where there is none, or no room on it, until the page is left. It is asked for anew each
 * time, as a visitor may forbid it at any time: then even its name throws.
 */
export function createStore(disk: () => Disk = () => ({}) as Disk): Store {
  const memory = new Map<string, string>();
  return {
    get(key) {
      try {
        return JSON.parse(memory.get(key) ?? disk().getItem(key) ?? "");
      } catch {}
    },
    set(key, value) {
      const text = JSON.stringify(value);
      memory.set(key, text);
      try {
        disk().setItem(key, text);
        memory.delete(key);
      } catch {}
    },
    remove(key) {
      memory.delete(key);
      try {
        disk().removeItem(key);
      } catch {}
    },
    keys(prefix) {
      const keys = [...memory.keys()];
      try {
        keys.push(...Object.keys(disk()));
      } catch {}
      return keys.filter((key) => key.startsWith(prefix)).sort();
    },
  };
}
