import type { ComponentChildren } from "preact";
import { Fold } from "../parts/fold.tsx";
import { conditionsOf, variantsOf } from "./filters.ts";
import { hasRange } from "./ranges.ts";

interface FoldedFiltersProps {
  readonly query: URLSearchParams;
  /** The parameters of the fields, besides those of the range, the time zone and the conditions. */
  readonly names: readonly string[];
  readonly children: ComponentChildren;
}

/** The filters of a report that a phone folds away. */
export function FoldedFilters({ query, names, children }: FoldedFiltersProps) {
  const set = [...names, "timezone"].filter((name) => query.has(name));
  const conditions = conditionsOf(query).length + Object.keys(variantsOf(query)).length;
  return (
    <Fold label="Filters" active={set.length + conditions + Number(hasRange(query))}>
      {children}
    </Fold>
  );
}
