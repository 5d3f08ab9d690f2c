import { type Comparison, type Condition, isEquality } from "../../domain/reports/condition.ts";

/** All times that an event can have. */
export const EVER = { from: Number.MIN_SAFE_INTEGER, to: Number.MAX_SAFE_INTEGER };

/** A text anywhere in another, as LIKE has it. */
const containing = (text: string): string => `%${text.replace(/[\\%_]/g, "\\$&")}%`;

const holdsWithoutProperty = ({ operator }: Comparison): boolean =>
  operator === "not" || operator === "not_set";

/**
 * Texts that stand in the properties of every event that the conditions hold for, unless something is escaped there:
 * each property's name, and the value where it can be no other. A number can be written in many ways. Null for none.
 */
export function patternsOf(where: readonly Condition[]): readonly string[] | null {
  if (where.length === 0) return null;
  const texts = where.flatMap((condition) => {
    const { property } = condition;
    if (!isEquality(condition)) return holdsWithoutProperty(condition) ? [] : [property];
    const [value, ...others] = condition.values;
    return typeof value === "string" && others.length === 0 ? [property, value] : [property];
  });
  return texts.length === 0 ? null : texts.map((text) => containing(JSON.stringify(text)));
}

/**
 * An SQL expression: whether properties may fulfil the conditions of these patterns. It only saves reading the others,
 * for SQL cannot decide it: properties are text as JavaScript writes and reads it, or whatever a program of somebody
 * else has put there. PostgreSQL's JSON refuses \u0000 and broken pairs of surrogates, takes 5.0 for another text than 5,
 * and one text that is no JSON would end the whole statement. The domain reads what is left, and decides.
 */
export const mayHold = (patterns: string): string =>
  `(${patterns}::text[] is null or properties like all (${patterns}) or strpos(properties, '\\') > 0)`;

/** An SQL expression: whether the type of an event is one of these; null stands for all. */
export const isOfTypes = (types: string): string =>
  `(${types}::text[] is null or event_type = any(${types}))`;

/** Null for all types. */
export const typesOf = (types: readonly (string | null)[]): readonly string[] | null =>
  types.length === 0 || types.includes(null) ? null : (types as readonly string[]);
