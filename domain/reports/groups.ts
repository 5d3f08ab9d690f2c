import { byText } from "../text.ts";
import type { Scalar } from "./condition.ts";

/** A group of a breakdown: the events with one value, without a value, or with any of the smaller values together. */
export type Group =
  | { readonly kind: "value"; readonly value: Scalar }
  | { readonly kind: "none" }
  | { readonly kind: "other" };

/** A result for one group that can be merged with the results of others. */
export interface Mergeable<T> {
  /** Groups are ranked by this. */
  readonly size: number;
  merge(other: T): T;
}

/** The key of a value in maps and rollups: its JSON, so that 5 and "5" differ. */
export const groupKey = (value: Scalar | null): string => JSON.stringify(value);

export const groupOf = (key: string): Group => {
  const value = JSON.parse(key) as Scalar | null;
  return value === null ? { kind: "none" } : { kind: "value", value };
};

/** A group in an answer. */
export const shownGroup = (group: Group): { group: Scalar | null; is_other: boolean } => ({
  group: group.kind === "value" ? group.value : group.kind === "none" ? null : "__other__",
  is_other: group.kind === "other",
});

/** Merges all parts. By halves, so that each is copied a logarithmic number of times. */
function together<T extends Mergeable<T>>(parts: readonly T[]): T | undefined {
  if (parts.length <= 1) return parts[0];
  const middle = parts.length >> 1;
  const [some, others] = [together(parts.slice(0, middle)), together(parts.slice(middle))];
  return some && others && some.merge(others);
}

interface GroupPart<T> {
  readonly group: Group;
  readonly part: T;
}

/** The groups of these keys, and then all others merged. */
function withOthers<T extends Mergeable<T>>(
  shown: readonly (readonly [key: string, part: T])[],
  others: readonly T[],
): GroupPart<T>[] {
  const groups = shown.map(([key, part]) => ({ group: groupOf(key), part }));
  const rest = together(others);
  return rest === undefined ? groups : [...groups, { group: { kind: "other" }, part: rest }];
}

/** The largest groups, largest first, and then all other groups merged. */
export function largest<T extends Mergeable<T>>(
  groups: ReadonlyMap<string, T>,
  limit: number,
): GroupPart<T>[] {
  const ranked = [...groups]
    .map(([key, part]) => ({ key, part, size: part.size }))
    .sort((a, b) => b.size - a.size || byText(a.key, b.key));
  return withOthers(
    ranked.slice(0, limit).map(({ key, part }) => [key, part]),
    ranked.slice(limit).map(({ part }) => part),
  );
}

/** The groups with these keys that there are, in the order of the keys, and then all other groups merged. */
export function chosen<T extends Mergeable<T>>(
  groups: ReadonlyMap<string, T>,
  keys: readonly string[],
): GroupPart<T>[] {
  const wanted = new Set(keys);
  const shown = keys.flatMap((key) => {
    const part = groups.get(key);
    return part === undefined ? [] : [[key, part] as const];
  });
  return withOthers(
    shown,
    [...groups].flatMap(([key, part]) => (wanted.has(key) ? [] : [part])),
  );
}
