import type { Names } from "../events/use-catalogue.ts";
import { SelectField } from "../parts/fields.tsx";
import { setQuery } from "../use-address.ts";
import { withNone } from "./filter-fields.tsx";

/** The most event types in one trend. */
const MAX_TYPES = 4;

/** The event types of a trend: all, one, or several to compare. */
export function TypeFields({ chosen, names }: { chosen: readonly string[]; names: Names }) {
  const set = (index: number, value: string): void =>
    setQuery({
      event_type: [...chosen.slice(0, index), value, ...chosen.slice(index + 1)],
      breakdown: undefined,
    });
  const fields = chosen.length === 0 ? [""] : chosen.slice(0, MAX_TYPES);
  return (
    <>
      {fields.map((type, index) => (
        <SelectField
          key={index}
          label={index === 0 ? "Event" : `Event ${index + 1}`}
          value={type}
          options={withNone(index === 0 && chosen.length <= 1 ? "all events" : "none", names)}
          onValue={(value) => set(index, value)}
        />
      ))}
      {chosen.length > 0 && chosen.length < MAX_TYPES && (
        <SelectField
          label="Add an event"
          value=""
          options={withNone(
            "no other event",
            names?.filter((name) => !chosen.includes(name)),
          )}
          onValue={(value) => set(chosen.length, value)}
        />
      )}
    </>
  );
}
