import type { Names } from "../events/use-catalogue.ts";
import { FilterField, type Option, optionsOf, SelectField } from "../parts/fields.tsx";
import { setQuery } from "../use-address.ts";
import { zoneOf } from "../zone.ts";
import { type Condition, conditionsOf, daysOf, namesDates, whereName } from "./filters.ts";

interface FilterProps {
  readonly query: URLSearchParams;
}

interface QuerySelectProps extends FilterProps {
  /** Of what is set, in the link and in the question to the API. */
  readonly name: string;
  readonly label: string;
  /** What is meant while the link does not say it. */
  readonly fallback: string;
  readonly options: readonly Option[] | undefined;
}

/** A choice that stands in the link. */
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
  { value: "1", label: "Today" },
  { value: "7", label: "Last 7 days" },
  { value: "30", label: "Last 30 days" },
  { value: "90", label: "Last 90 days" },
  { value: "365", label: "Last 365 days" },
  { value: CUSTOM, label: "Chosen dates" },
];

function rangeOptions(days: string, optional: boolean): Option[] {
  const known = RANGES.some(({ value }) => value === days) || days === EVER;
  const own = known ? [] : [{ value: days, label: `Last ${days} days` }];
  return [...(optional ? [{ value: EVER, label: "All times" }] : []), ...own, ...RANGES];
}

/** Which days are asked about. Where it is optional, all times are meant unless something is chosen. */
export function RangeFilter({ query, optional = false }: FilterProps & { optional?: boolean }) {
  const custom = namesDates(query) || query.get("range") === CUSTOM;
  const shown = optional && !query.has("days") ? EVER : String(daysOf(query));
  const choose = (value: string): void => {
    const days = value === EVER ? undefined : value;
    setQuery(
      value === CUSTOM
        ? { range: CUSTOM, days: undefined }
        : { days, from: undefined, to: undefined, range: undefined },
    );
  };
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
        onValue={choose}
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
    onValue={(timezone) => setQuery({ timezone })}
  />
);

interface PropertyFilterProps extends FilterProps {
  readonly properties: Names;
}

/** A choice that may be left open. */
export const withNone = (label: string, names: Names): Option[] | undefined =>
  names && [{ value: "", label }, ...optionsOf(names)];

export const BreakdownFilter = ({ query, properties }: PropertyFilterProps) => (
  <QuerySelect
    query={query}
    name="breakdown"
    label="Broken down by"
    fallback=""
    options={withNone("nothing", properties)}
  />
);

const ConditionTag = ({ property, value }: Condition) => (
  <li>
    {property} is {value}{" "}
    <button
      type="button"
      aria-label={`Remove: ${property} is ${value}`}
      onClick={() => setQuery({ [whereName(property)]: undefined })}
    >
      ×
    </button>
  </li>
);

/** Properties that events must have. One is chosen first, and counts when its value is typed. */
export function ConditionFilter({ query, properties }: PropertyFilterProps) {
  const conditions = conditionsOf(query);
  const chosen = query.get("property") ?? "";
  return (
    <>
      <SelectField
        label="Only events with"
        value={chosen}
        options={withNone("any properties", properties)}
        onValue={(property) => setQuery({ property })}
      />
      {chosen !== "" && (
        <FilterField
          label={`Value of ${chosen}`}
          hint="counts when you leave the field"
          value=""
          onValue={(value) => setQuery({ [whereName(chosen)]: value, property: undefined })}
        />
      )}
      {conditions.length > 0 && (
        <ul class="conditions" aria-label="Events must have">
          {conditions.map((condition) => (
            <ConditionTag key={condition.property} {...condition} />
          ))}
        </ul>
      )}
    </>
  );
}
