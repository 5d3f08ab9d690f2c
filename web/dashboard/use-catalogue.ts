import type { Catalogue } from "../../domain/analytics/catalogue.ts";
import { listEventTypes } from "./api.ts";
import { type Answer, useAnswer } from "./use-answer.ts";

/** The types of events there are, for the fields that choose among them. */
export const useCatalogue = (): Answer<Catalogue> => useAnswer("types", listEventTypes);

export const typeNames = (catalogue: Catalogue | undefined): string[] =>
  catalogue?.types.map(({ event_type }) => event_type) ?? [];

/** The properties of these types, or of all where none is named; the most frequent first. */
export function propertyNames(catalogue: Catalogue | undefined, types: readonly string[]): string[] {
  const chosen = (catalogue?.types ?? []).filter(
    ({ event_type }) => types.length === 0 || types.includes(event_type),
  );
  return [...new Set(chosen.flatMap(({ properties }) => properties.map(({ name }) => name)))];
}
