import type { Changes } from "../address.ts";
import { rangeSettings } from "./ranges.ts";

/** How a property can be compared, by the operator of the API; the empty one is equality. */
export const OPERATORS = {
  "": "is",
  not: "is not",
  gte: "is at least",
  gt: "is above",
  lte: "is at most",
  lt: "is below",
  contains: "contains",
  set: "is set",
  not_set: "is not set",
} as const;
export type Operator = keyof typeof OPERATORS;

/** Whether a comparison has a value to compare with. */
export const needsValue = (operator: Operator): boolean => operator !== "set" && operator !== "not_set";

export const isOperator = (text: string | null | undefined): text is Operator =>
  typeof text === "string" && Object.hasOwn(OPERATORS, text);

const WHERE = /^where\[(.+)\]$/;
const COMPARISON = /^(.+)\]\[(\w+)$/;

/** One `where[property]=value` or `where[property][operator]=value` of a link. The API takes it in the same form. */
export interface Condition {
  readonly property: string;
  readonly operator: Operator;
  readonly value: string;
}

function conditionOf(name: string, value: string): Condition[] {
  const inner = WHERE.exec(name)?.[1];
  if (inner === undefined) return [];
  const [, property = "", operator] = COMPARISON.exec(inner) ?? [];
  return isOperator(operator) ? [{ property, operator, value }] : [{ property: inner, operator: "", value }];
}

export const conditionsOf = (query: URLSearchParams): Condition[] =>
  [...query].flatMap(([name, value]) => conditionOf(name, value));

/** The parameter of a condition, in links and in the API. */
export const whereName = ({ property, operator }: Omit<Condition, "value">): string =>
  operator === "" ? `where[${property}]` : `where[${property}][${operator}]`;

/** A condition in words: "plan is pro", "plan is not set". */
export const conditionText = ({ property, operator, value }: Condition): string =>
  [property, OPERATORS[operator], ...(needsValue(operator) ? [value] : [])].join(" ");

/** The conditions of a link as parameters of the API. */
export const whereOf = (query: URLSearchParams): Changes =>
  Object.fromEntries(conditionsOf(query).map((condition) => [whereName(condition), condition.value]));

const VARIANT = /^experiment\[(.+)\]$/;

/** The parameter that restricts a report to a variant of this experiment, in links and in the API. */
export const variantName = (testName: string): string => `experiment[${testName}]`;

/** The variants whose people a link is about, by experiment. */
export const variantsOf = (query: URLSearchParams): Readonly<Record<string, string>> =>
  Object.fromEntries(
    [...query].flatMap(([name, value]) => {
      const test = VARIANT.exec(name)?.[1];
      return test === undefined ? [] : [[test, value]];
    }),
  );

/** These variants as parameters of a link, or of the API. */
export const variantSettings = (variants: Readonly<Record<string, string>>): Changes =>
  Object.fromEntries(Object.entries(variants).map(([test, variant]) => [variantName(test), variant]));

/** Whether a link is about the people of experiments. */
export const namesExperiments = (query: URLSearchParams): boolean =>
  query.has("breakdown_experiment") || Object.keys(variantsOf(query)).length > 0;

/** The settings of a report that also filter events, for a link from the report to the events behind it. */
export const eventsBehind = (query: URLSearchParams): Changes => ({
  event_type: query.getAll("event_type"),
  ...rangeSettings(query),
  ...whereOf(query),
});
