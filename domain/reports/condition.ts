import { z } from "zod";
import type { Properties } from "../events/properties.ts";
import { recordOf } from "../text.ts";

export type Scalar = string | number | boolean;

/** A property must have one of these values. Properties within properties are not asked about. */
export interface Condition {
  readonly property: string;
  readonly values: readonly Scalar[];
}

const MAX_CONDITIONS = 20;

// Fewer texts than JavaScript takes for a number: 05 is a code and not five.
const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const INTEGER = /^-?\d+$/;

/** The number that JSON writes so; undefined where there is none, or only a rounded one. */
function numberOf(text: string): number | undefined {
  const number = JSON_NUMBER.test(text) ? Number(text) : Number.NaN;
  const isRounded = INTEGER.test(text) && !Number.isSafeInteger(number);
  return Number.isFinite(number) && !isRounded ? number : undefined;
}

/** The values that a text in a URL can mean: the text itself, and the number or boolean that JSON writes so. */
function readings(text: string): Scalar[] {
  if (text === "true" || text === "false") return [text, text === "true"];
  const number = numberOf(text);
  return number === undefined ? [text] : [text, number];
}

const conditionsOf = (where: Readonly<Record<string, readonly Scalar[]>>): Condition[] =>
  Object.entries(where).map(([property, values]) => ({ property, values }));

const few = (where: object): boolean => Object.keys(where).length <= MAX_CONDITIONS;
const TOO_MANY = `must have at most ${MAX_CONDITIONS} properties`;

/** `where[plan]=pro` of a URL: all must hold. */
export const QueryConditions = recordOf(
  z.string().transform(readings),
  "must be written as where[property]=value",
)
  .refine(few, TOO_MANY)
  .transform(conditionsOf)
  .default([])
  .meta({ description: "where[<property>]=<value>: only events whose property has this value." });

/** `{"plan":"pro"}` of a body, where a value's type is plain to see. */
export const BodyConditions = recordOf(
  z
    .union([z.string(), z.number(), z.boolean()], { error: "must be a text, a number, true or false" })
    .transform((value) => [value]),
  'must be an object, as {"plan":"pro"}',
)
  .refine(few, TOO_MANY)
  .transform(conditionsOf)
  .default([]);

export const holdsAll = (conditions: readonly Condition[], properties: Properties): boolean =>
  conditions.every(({ property, values }) =>
    Object.hasOwn(properties, property) ? values.includes(properties[property] as Scalar) : false,
  );

/** A number that JSON cannot write back, as 1e999 is read, is none. */
export const isScalar = (value: unknown): value is Scalar =>
  typeof value === "string" || typeof value === "boolean" || Number.isFinite(value);

/** The value that a breakdown by this property puts an event under; null where it has no plain one. */
export function scalarOf(properties: Properties, property: string): Scalar | null {
  const value = Object.hasOwn(properties, property) ? properties[property] : null;
  return isScalar(value) ? value : null;
}

const NOTHING: Properties = {};

const isObject = (value: unknown): value is Properties =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether a stored text is a JSON object. Other programs may write other things into the table. */
export const isObjectText = (text: string): boolean => isObject(parsed(text));

/** The properties of a stored event; none where its text is no JSON object. */
export function propertiesOf(text: string | null): Properties {
  const properties = text === null || text === "" ? NOTHING : parsed(text);
  return isObject(properties) ? properties : NOTHING;
}
