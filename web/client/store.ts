/** JSON values by key, which tabs may share. An entry that is not JSON reads as undefined. */
export interface Store {
  get<Value>(key: string): Value | undefined;
  /** Throws only where the value cannot be written as JSON. */
  set(key: string, value: unknown): void;
  remove(key: string): void;
  /** The keys with this prefix, sorted. */
  keys(prefix: string): string[];
}

/** Web Storage: its entries are its properties, and to set one throws where there is no room. */
export type Disk = Record<string, string>;

/**
 * Keeps values on the disk, or in memory where there is no disk or no room on it. The disk is looked up each time: a
 * visitor may forbid it at any time, and from then on even its name throws.
 */
export function createStore(disk: () => Disk): Store {
  const memory: Disk = {};
  return {
    get(key) {
      try {
        return JSON.parse(memory[key] ?? `${disk()[key]}`);
      } catch {}
    },
    set(key, value) {
      memory[key] = JSON.stringify(value);
      try {
        disk()[key] = memory[key];
        delete memory[key];
      } catch {}
    },
    remove(key) {
      delete memory[key];
      try {
        delete disk()[key];
      } catch {}
    },
    keys(prefix) {
      const keys = Object.keys(memory);
      try {
        keys.push(...Object.keys(disk()));
      } catch {}
      return keys.filter((key) => key.startsWith(prefix)).sort();
    },
  };
}
