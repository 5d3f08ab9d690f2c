import { byText } from "../text.ts";
import type { Scalar } from "./condition.ts";

/** A part of the events by the value of a property: one value, none, or all values that are not shown alone. */
export type Group =
  | { readonly kind: "value"; readonly value: Scalar }
  | { readonly kind: "none" }
  | { readonly kind: "other" };

/** What something comes to that can be put together with its like. */
export interface Mergeable<T> {
  /** What groups are ranked by. */
  readonly size: number;
  merge(other: T): T;
}

/** The text under which a value is kept: its JSON, so that 5 and "5" are two. */
export const groupKey = (value: Scalar | null): string => JSON.stringify(value);

export const groupOf = (key: string): Group => {
  const value = JSON.parse(key) as Scalar | null;
  return value === null ? { kind: "none" } : { kind: "value", value };
};

/** How a group stands on the wire. */
export const shownGroup = (group: Group): { group: Scalar | null; is_other: boolean } => ({
  group: group.kind === "value" ? group.value : group.kind === "none" ? null : "__other__",
  is_other: group.kind === "other",
});

/** All as one. By halves, so that each is copied a few times only, however many there are. */
function together<T extends Mergeable<T>>(parts: readonly T[]): T | undefined {
  if (parts.length <= 1) return parts[0];
  const middle = parts.length >> 1;
  const [some, others] = [together(parts.slice(0, middle)), together(parts.slice(middle))];
  return some && others && some.merge(others);
}

/** The largest groups, largest first, and at last all others put together. */
export function largest<T extends Mergeable<T>>(
  groups: ReadonlyMap<string, T>,
  limit: number,
): { readonly group: Group; readonly part: T }[] {
  const ranked = [...groups]
    .map(([key, part]) => ({ key, part, size: part.size }))
    .sort((a, b) => b.size - a.size || byText(a.key, b.key));
  const shown = ranked.slice(0, limit).map(({ key, part }) => ({ group: groupOf(key), part }));
  const rest = together(ranked.slice(limit).map(({ part }) => part));
  return rest === undefined ? shown : [...shown, { group: { kind: "other" }, part: rest }];
}
