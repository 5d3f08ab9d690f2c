import type { Catalogue } from "../../../domain/reports/catalogue.ts";

type Scalar = string | number | boolean;

/** A step in the form of the API; its type is empty until one is chosen. */
export interface Step {
  readonly event_type: string;
  readonly where?: Readonly<Record<string, Scalar>> | undefined;
}

export const MAX_STEPS = 20;

const isScalar = (value: unknown): value is Scalar => ["string", "number", "boolean"].includes(typeof value);

function stepOf(value: unknown): Step[] {
  if (typeof value !== "object" || value === null) return [];
  const { event_type, where } = value as { event_type?: unknown; where?: unknown };
  if (typeof event_type !== "string") return [];
  if (typeof where !== "object" || where === null) return [{ event_type }];
  const conditions = Object.entries(where).filter((entry): entry is [string, Scalar] => isScalar(entry[1]));
  return [conditions.length === 0 ? { event_type } : { event_type, where: Object.fromEntries(conditions) }];
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
