import type { Attributes } from "../../domain/storage.ts";
import { Name } from "../../domain/text.ts";
import { MAX_ATTRIBUTES } from "../experiments/assignments/enrolment.ts";

const isAttribute = (value: unknown): value is string | number | boolean =>
  typeof value === "boolean" || Number.isFinite(value) || Name.safeParse(value).success;

/**
 * Facts about a user for segments, out of an object of another format: its first flat entries that our own format
 * takes too. Others are left out, because a refusal would cost the user their variant.
 */
export function attributesOf(facts: Readonly<Record<string, unknown>>): Attributes | undefined {
  const entries = Object.entries(facts)
    .slice(0, MAX_ATTRIBUTES)
    .filter((entry): entry is [string, string | number | boolean] => {
      const [name, value] = entry;
      return name !== "__proto__" && Name.safeParse(name).success && isAttribute(value);
    });
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
