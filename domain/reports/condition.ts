import { z } from "zod";
import type { Properties } from "../events/properties.ts";
import { recordOf } from "../text.ts";

export type Scalar = string | number | boolean;

// Conditions on the properties of an event. A property within another property cannot be named.

/** The property has one of these values. */
export interface Equality {
  readonly property: string;
  readonly values: readonly Scalar[];
}

const BOUNDS = ["gte", "gt", "lte", "lt"] as const;
const OPERATORS = ["not", ...BOUNDS, "contains", "set", "not_set"] as const;

interface On {
  readonly property: string;
}

/**
 * `not`: the property has none of these values, or is not set. `gte`, `gt`, `lte`, `lt`: it is a number at least, above, at
 * most or below this one. `contains`: it is a text that contains this one, in any case. `set`: it is there, and not null.
 */
export type Comparison = On &
  (
    | { readonly operator: "not"; readonly operand: readonly Scalar[] }
    | { readonly operator: (typeof BOUNDS)[number]; readonly operand: number }
    | { readonly operator: "contains"; readonly operand: string }
    | { readonly operator: "set" }
    | { readonly operator: "not_set" }
  );

export type Condition = Equality | Comparison;

export const isEquality = (condition: Condition): condition is Equality => "values" in condition;

const MAX_CONDITIONS = 20;
// More are refused before any of them is looked at.
const MAX_ENTRIES = 5 * MAX_CONDITIONS;
const TOO_MANY = `must have at most ${MAX_CONDITIONS} conditions`;

// Fewer texts than JavaScript takes for a number: 05 is a code and not five.
const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const INTEGER = /^-?\d+$/;

/** The number that JSON writes so; undefined where there is none, or only a rounded one. */
function numberOf(text: string): number | undefined {
  const number = JSON_NUMBER.test(text) ? Number(text) : Number.NaN;
  if (!Number.isFinite(number)) return undefined;
  const isExact = !INTEGER.test(text) || Number.isSafeInteger(number) || String(number) === text;
  return isExact ? number : undefined;
}

/** The values that a text in a URL can mean: the text itself, and the number or boolean that JSON writes so. */
function readings(text: string): Scalar[] {
  if (text === "true" || text === "false") return [text, text === "true"];
  const number = numberOf(text);
  return number === undefined ? [text] : [text, number];
}

/** A condition of a query, or the fault of its value. */
function readComparison(
  property: string,
  operator: (typeof OPERATORS)[number],
  text: string,
): Comparison | { readonly fault: string } {
  if (operator === "not") return { property, operator, operand: readings(text) };
  if (operator === "contains") {
    return text === "" ? { fault: "must not be empty" } : { property, operator, operand: text };
  }
  if (operator === "set" || operator === "not_set") {
    const says = ["", "1", "true"].includes(text);
    return says
      ? { property, operator }
      : { fault: `takes no value: write where[${property}][${operator}]=1` };
  }
  const operand = numberOf(text);
  return operand === undefined ? { fault: "must be a number" } : { property, operator, operand };
}

// The key of where[price][gte] within where[…], as it is cut from the name of the parameter.
const COMPARISON = new RegExp(`^(.+)\\]\\[(${OPERATORS.join("|")})$`, "s");

const isOperator = (text: string | undefined): text is (typeof OPERATORS)[number] =>
  OPERATORS.some((operator) => operator === text);

function queryConditions(
  where: Readonly<Record<string, string>>,
  context: z.core.$RefinementCtx,
): Condition[] {
  const conditions: Condition[] = [];
  for (const [key, text] of Object.entries(where)) {
    const [, property = "", operator] = COMPARISON.exec(key) ?? [];
    if (!isOperator(operator)) {
      conditions.push({ property: key, values: readings(text) });
      continue;
    }
    const condition = readComparison(property, operator, text);
    if ("fault" in condition) {
      context.addIssue({ code: "custom", path: [property, operator], message: condition.fault });
    } else {
      conditions.push(condition);
    }
  }
  if (conditions.length > MAX_CONDITIONS) context.addIssue({ code: "custom", message: TOO_MANY });
  return conditions;
}

/** The conditions of a URL, `where[plan]=pro` or `where[price][gte]=10`. All of them must hold. */
export const QueryConditions = recordOf(z.string(), "must be written as where[property]=value", MAX_ENTRIES)
  .transform(queryConditions)
  .default([])
  .meta({
    description:
      "where[<property>]=<value>: only events whose property has this value. where[<property>][<operator>]=<value> compares it: not, gte, gt, lte, lt, contains; set and not_set take no value.",
  });

const BodyScalar = z.union([z.string(), z.number(), z.boolean()]);
const BodyComparison = z
  .strictObject({
    not: BodyScalar.transform((value) => [value]),
    gte: z.number(),
    gt: z.number(),
    lte: z.number(),
    lt: z.number(),
    contains: z.string().min(1, "must not be empty"),
    set: z.literal(true),
    not_set: z.literal(true),
  })
  .partial()
  .refine((comparison) => Object.keys(comparison).length > 0, 'must have an operator, as {"gte":10}');

const BODY_VALUE = 'must be a text, a number, true or false, or a comparison, as {"gte":10}';

function* bodyComparisons(
  property: string,
  comparison: z.infer<typeof BodyComparison>,
): Generator<Comparison> {
  const { not, contains, set, not_set } = comparison;
  if (not !== undefined) yield { property, operator: "not", operand: not };
  if (contains !== undefined) yield { property, operator: "contains", operand: contains };
  if (set) yield { property, operator: "set" };
  if (not_set) yield { property, operator: "not_set" };
  for (const operator of BOUNDS) {
    const operand = comparison[operator];
    if (operand !== undefined) yield { property, operator, operand };
  }
}

/** The conditions of a body, `{"plan":"pro","price":{"gte":10}}`. A value has the type that it is written in. */
export const BodyConditions = recordOf(
  z.union([BodyScalar, BodyComparison], { error: BODY_VALUE }),
  'must be an object, as {"plan":"pro"}',
  MAX_ENTRIES,
)
  .transform((where): Condition[] =>
    Object.entries(where).flatMap(([property, wanted]): Condition[] =>
      typeof wanted === "object" ? [...bodyComparisons(property, wanted)] : [{ property, values: [wanted] }],
    ),
  )
  .refine((conditions) => conditions.length <= MAX_CONDITIONS, TOO_MANY)
  .default([]);

const COMPARE: Record<(typeof BOUNDS)[number], (value: number, operand: number) => boolean> = {
  gte: (value, operand) => value >= operand,
  gt: (value, operand) => value > operand,
  lte: (value, operand) => value <= operand,
  lt: (value, operand) => value < operand,
};

const isOneOf = (values: readonly Scalar[], value: unknown): boolean => values.some((one) => one === value);

function compares(comparison: Comparison, value: unknown): boolean {
  switch (comparison.operator) {
    case "not":
      return !isOneOf(comparison.operand, value);
    case "contains":
      return typeof value === "string" && value.toLowerCase().includes(comparison.operand.toLowerCase());
    case "set":
      return value !== undefined && value !== null;
    case "not_set":
      return value === undefined || value === null;
    default:
      return typeof value === "number" && COMPARE[comparison.operator](value, comparison.operand);
  }
}

export const holdsAll = (conditions: readonly Condition[], properties: Properties): boolean =>
  conditions.every((condition) => {
    const { property } = condition;
    const value = Object.hasOwn(properties, property) ? properties[property] : undefined;
    return isEquality(condition) ? isOneOf(condition.values, value) : compares(condition, value);
  });

/** Whether a value can be a group or a condition. A number that JSON cannot write, as 1e999 is read, cannot. */
export const isScalar = (value: unknown): value is Scalar =>
  typeof value === "string" || typeof value === "boolean" || Number.isFinite(value);

/** The value of a property for a breakdown; null where the event has no text, number or boolean there. */
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
