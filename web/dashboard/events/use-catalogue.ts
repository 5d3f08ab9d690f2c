import type { Catalogue } from "../../../domain/reports/catalogue.ts";
import { listEventTypes } from "../access/api.ts";
import { type Answer, useAnswer } from "../access/use-answer.ts";

/** The event types, for the fields that choose among them. */
export const useCatalogue = (): Answer<Catalogue> => useAnswer("types", listEventTypes);

/** Names to choose among; undefined where the catalogue failed to load and the user types a name. */
export type Names = readonly string[] | undefined;

const typesOf = ({ value, problem }: Answer<Catalogue>) =>
  problem === undefined ? (value?.types ?? []) : value?.types;

export const typeNames = (catalogue: Answer<Catalogue>): Names =>
  typesOf(catalogue)?.map(({ event_type }) => event_type);

/** The properties of these types, or of all types where none is given, most frequent first. */
export function propertyNames(catalogue: Answer<Catalogue>, types: readonly string[]): Names {
  const chosen = typesOf(catalogue)?.filter(
    ({ event_type }) => types.length === 0 || types.includes(event_type),
  );
  return chosen && [...new Set(chosen.flatMap(({ properties }) => properties.map(({ name }) => name)))];
}
