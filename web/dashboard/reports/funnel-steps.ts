import type { Catalogue } from "../../../domain/reports/catalogue.ts";
import { type Condition, isOperator, needsValue, type Operator } from "./filters.ts";

type Scalar = string | number | boolean;

/** What a property is compared with, by the operators of the API. */
type Comparison = { readonly [operator in Exclude<Operator, "">]?: Scalar };

type Where = Readonly<Record<string, Scalar | Comparison>>;

/** A step in the form of the API; its type is empty until one is chosen. */
export interface Step {
  readonly event_type: string;
  readonly where?: Where | undefined;
}

export const MAX_STEPS = 20;

const isScalar = (value: unknown): value is Scalar => ["string", "number", "boolean"].includes(typeof value);

/** The parts of a comparison that the API knows; undefined where there is none. */
function comparisonOf(value: unknown): Comparison | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const known = Object.entries(value).filter(
    ([name, one]) => name !== "" && isOperator(name) && isScalar(one),
  );
  return known.length === 0 ? undefined : Object.fromEntries(known);
}

const withWhere = (event_type: string, where: Where): Step =>
  Object.keys(where).length === 0 ? { event_type } : { event_type, where };

function stepOf(value: unknown): Step[] {
  if (typeof value !== "object" || value === null) return [];
  const { event_type, where } = value as { event_type?: unknown; where?: unknown };
  if (typeof event_type !== "string") return [];
  if (typeof where !== "object" || where === null) return [{ event_type }];
  const conditions = Object.entries(where).flatMap(([property, wanted]): [string, Scalar | Comparison][] => {
    const known = isScalar(wanted) ? wanted : comparisonOf(wanted);
    return known === undefined ? [] : [[property, known]];
  });
  return [withWhere(event_type, Object.fromEntries(conditions))];
}

/** Reads the steps of a link, which are JSON in the form of the API. Invalid steps are left out. */
export function parseSteps(text: string | null): Step[] {
  try {
    const parsed: unknown = JSON.parse(text ?? "[]");
    return Array.isArray(parsed) ? parsed.flatMap(stepOf).slice(0, MAX_STEPS) : [];
  } catch {
    return [];
  }
}

export const formatSteps = (steps: readonly Step[]): string =>
  steps.length === 0 ? "" : JSON.stringify(steps);

/** The conditions of a step, one by one. */
export const conditionsOfStep = ({ where = {} }: Step): Condition[] =>
  Object.entries(where).flatMap(([property, wanted]): Condition[] =>
    isScalar(wanted)
      ? [{ property, operator: "", value: String(wanted) }]
      : Object.entries(wanted).flatMap(([operator, value]) =>
          isOperator(operator) ? [{ property, operator, value: String(value) }] : [],
        ),
  );

/** The step without a condition. */
export function withoutCondition({ event_type, where = {} }: Step, { property, operator }: Condition): Step {
  const { [property]: wanted, ...others } = where;
  if (wanted === undefined || isScalar(wanted) || operator === "") return withWhere(event_type, others);
  const { [operator]: _, ...left } = wanted;
  return withWhere(event_type, Object.keys(left).length === 0 ? others : { ...others, [property]: left });
}

/** The step with one condition more. A property equals one value only, and is then compared with no other. */
export function withCondition(
  { event_type, where = {} }: Step,
  { property, operator, value }: Condition,
  catalogue: Catalogue | undefined,
): Step {
  const wanted = operator !== "" && !needsValue(operator) ? true : operandOf(value, operator);
  const known = where[property];
  const comparison = known === undefined || isScalar(known) ? {} : known;
  return {
    event_type,
    where: { ...where, [property]: operator === "" ? wanted : { ...comparison, [operator]: wanted } },
  };

  function operandOf(text: string, by: Operator): Scalar {
    if (by === "contains") return text;
    const number = Number(text);
    const isBound = by !== "" && by !== "not" && text.trim() !== "" && Number.isFinite(number);
    return isBound ? number : scalarOf(text, event_type, property, catalogue);
  }
}

/** The value of a typed text: a number or a boolean only where the property has no texts in these events. */
export function scalarOf(
  text: string,
  eventType: string,
  property: string,
  catalogue: Catalogue | undefined,
): Scalar {
  const type = catalogue?.types.find(({ event_type }) => event_type === eventType);
  const types = type?.properties.find(({ name }) => name === property)?.value_types ?? {};
  if (types.string !== undefined) return text;
  if (types.boolean !== undefined && (text === "true" || text === "false")) return text === "true";
  const number = Number(text);
  return types.number !== undefined && text.trim() !== "" && Number.isFinite(number) ? number : text;
}

/** Which users the link lists, as "left-2": those who left after the second step. */
export interface ListedUsers {
  readonly outcome: "reached" | "left";
  readonly step: number;
}

export const listedText = ({ outcome, step }: ListedUsers): string => `${outcome}-${step}`;

/** The users that a link lists. None where it names a step that the funnel does not have. */
export function listedUsers(query: URLSearchParams, steps: number): ListedUsers | undefined {
  const { outcome, step = "0" } =
    /^(?<outcome>reached|left)-(?<step>\d{1,2})$/.exec(query.get("users") ?? "")?.groups ?? {};
  const last = outcome === "left" ? steps - 1 : steps;
  const place = Number(step);
  if ((outcome !== "reached" && outcome !== "left") || place < 1 || place > last) return undefined;
  return { outcome, step: place };
}
