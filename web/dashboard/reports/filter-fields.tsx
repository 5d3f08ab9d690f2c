import type { Changes } from "../address.ts";
import type { Names } from "../events/use-catalogue.ts";
import { FilterField, type Option, optionsOf, SelectField } from "../parts/fields.tsx";
import { useKeptFocus } from "../parts/focus.ts";
import { counted } from "../parts/format.ts";
import { setQuery } from "../use-address.ts";
import { zoneOf, zoneSetting } from "../zone.ts";
import { ConditionTags, NewCondition } from "./condition-fields.tsx";
import { type Condition, conditionsOf, isOperator, whereName } from "./filters.ts";
import {
  daysOf,
  hasRange,
  isCompared,
  NAMED_RANGES,
  namedRange,
  namesDates,
  withFixedDates,
} from "./ranges.ts";

interface FilterProps {
  readonly query: URLSearchParams;
}

interface QuerySelectProps extends FilterProps {
  /** The parameter's name, in the link and in the API. */
  readonly name: string;
  readonly label: string;
  /** The value while the link has none. */
  readonly fallback: string;
  readonly options: readonly Option[] | undefined;
}

/** A field whose value is kept in the link. */
export const QuerySelect = ({ query, name, label, fallback, options }: QuerySelectProps) => (
  <SelectField
    label={label}
    path={name}
    value={query.get(name) ?? fallback}
    options={options}
    onValue={(value) => setQuery({ [name]: value })}
  />
);

const CUSTOM = "custom";
const EVER = "ever";

const RANGES: readonly Option[] = [
  ...Object.entries(NAMED_RANGES).map(([value, { label }]) => ({ value, label })),
  ...[7, 30, 90, 365].map((days) => ({ value: String(days), label: `Last ${days} days` })),
  { value: CUSTOM, label: "Chosen dates" },
];

function rangeOptions(shown: string, optional: boolean): Option[] {
  const known = RANGES.some(({ value }) => value === shown) || shown === EVER;
  const own = known ? [] : [{ value: shown, label: `Last ${counted(Number(shown), "day")}` }];
  return [...(optional ? [{ value: EVER, label: "All times" }] : []), ...own, ...RANGES];
}

/** The settings of a chosen range. Dates to change start as those of the range that was shown. */
function rangeChanges(query: URLSearchParams, value: string, shown: string): Changes {
  const none = { days: undefined, from: undefined, to: undefined, range: undefined };
  if (value === EVER) return none;
  if (value !== CUSTOM) return { ...none, [value in NAMED_RANGES ? "range" : "days"]: value };
  const { from, to } = Object.fromEntries(withFixedDates(query, Date.now()));
  return { ...none, range: CUSTOM, ...(shown === EVER ? {} : { from, to }) };
}

/** The range of days. Where it is optional, it covers all times until something is chosen. */
export function RangeFilter({ query, optional = false }: FilterProps & { optional?: boolean }) {
  const custom = namesDates(query) || query.get("range") === CUSTOM;
  const shown = optional && !hasRange(query) ? EVER : (namedRange(query) ?? String(daysOf(query)));
  const date = (name: "from" | "to", label: string) => (
    <FilterField
      label={label}
      type="date"
      path={name}
      value={query.get(name) ?? ""}
      onValue={(value) => setQuery({ [name]: value, days: undefined })}
    />
  );
  return (
    <>
      <SelectField
        label="Time"
        value={custom ? CUSTOM : shown}
        options={rangeOptions(shown, optional)}
        onValue={(value) => setQuery(rangeChanges(query, value, shown))}
      />
      {custom && date("from", "First day")}
      {custom && date("to", "Last day")}
    </>
  );
}

const ZONES = ["UTC", ...Intl.supportedValuesOf("timeZone").filter((zone) => zone !== "UTC")];
const ZONE_OPTIONS = optionsOf(ZONES);

export const ZoneFilter = ({ query }: FilterProps) => (
  <SelectField
    label="Time zone"
    path="timezone"
    value={zoneOf(query)}
    options={ZONE_OPTIONS}
    onValue={(timezone) => setQuery({ timezone: zoneSetting(timezone) })}
  />
);

/** Switches the comparison with the period before on and off. */
export const CompareFilter = ({ query }: FilterProps) => (
  <label class="choice">
    <input
      type="checkbox"
      checked={isCompared(query)}
      onChange={({ currentTarget }) => setQuery({ compare: currentTarget.checked ? "previous" : undefined })}
    />{" "}
    Compare with the period before
  </label>
);

interface PropertyFilterProps extends FilterProps {
  readonly properties: Names;
}

/** The options with one in front for no choice. */
export const withNone = (label: string, names: Names): Option[] | undefined =>
  names && [{ value: "", label }, ...optionsOf(names)];

/** Adds a condition to the link, and closes the fields that it was chosen with. */
const addCondition = (condition: Condition): void =>
  setQuery({ [whereName(condition)]: condition.value, property: undefined, operator: undefined });

interface ConditionFilterProps extends PropertyFilterProps {
  /** The types of the events that are filtered; empty for all. */
  readonly types: readonly string[];
}

/** Conditions on the properties of events: those that apply, and fields for another one. */
export function ConditionFilter({ query, types, properties }: ConditionFilterProps) {
  const chosen = query.get("property") ?? "";
  const operator = query.get("operator");
  const group = useKeptFocus<HTMLDivElement>();
  return (
    <div class="grouped" ref={group}>
      <SelectField
        label="Property"
        value={chosen}
        options={withNone("any", properties)}
        onValue={(property) => setQuery({ property, operator: undefined })}
      />
      {chosen !== "" && (
        <NewCondition
          query={query}
          types={types}
          property={chosen}
          operator={isOperator(operator) ? operator : ""}
          onOperator={(value) => setQuery({ operator: value })}
          onCondition={addCondition}
        />
      )}
      <ConditionTags
        conditions={conditionsOf(query)}
        onRemove={(condition) => setQuery({ [whereName(condition)]: undefined })}
      />
    </div>
  );
}
