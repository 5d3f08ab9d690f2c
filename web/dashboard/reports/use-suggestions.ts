import { listPropertyValues } from "../access/api.ts";
import { useAnswer } from "../access/use-answer.ts";
import { rangeOf } from "./ranges.ts";

const MOST = "100";

/**
 * The most frequent values of a property in the range of the link, to choose from while typing. None without a property, and
 * where they fail to load: any value can be typed.
 */
export function useSuggestions(
  query: URLSearchParams,
  types: readonly string[],
  property: string,
): readonly string[] {
  const asked = { ...rangeOf(query, Date.now()), event_type: types, property, limit: MOST };
  const question = property === "" ? undefined : `values ${JSON.stringify(asked)}`;
  const { value } = useAnswer(question, (signal) => listPropertyValues(asked, signal));
  return [...new Set(value?.values.map((one) => String(one.value)) ?? [])];
}
