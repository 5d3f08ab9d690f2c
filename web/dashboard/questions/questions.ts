import type { Question, SavedQuestionReply } from "../../../domain/reports/saved-question.ts";
import { type Changes, withChanges } from "../address.ts";
import { conditionsOf } from "../reports/filters.ts";
import { daysOf, NAMED_RANGES, namedRange, namesDates } from "../reports/ranges.ts";
import { linkTo } from "../use-address.ts";
import { zoneSetting } from "../zone.ts";

type Query = Readonly<Record<string, unknown>>;

/** The range of a link that moves with time; null where the link names dates. */
function relativeRange(query: URLSearchParams): string | null {
  if (namesDates(query)) return null;
  return namedRange(query) ?? `last_${daysOf(query)}_days`;
}

const DAYS = /^last_(\d+)_days$/;

/** A range in words: "Last 30 days". */
export function rangeLabel(range: string): string {
  const days = DAYS.exec(range)?.[1];
  return days === undefined ? (NAMED_RANGES[range]?.label ?? range) : `Last ${days} days`;
}

/** Conditions by property, as the API takes them in JSON: `{"plan":"pro","price":{"gte":"10"}}`. */
function whereOf(query: URLSearchParams): Query {
  const where: Record<string, unknown> = {};
  const conditions = conditionsOf(query);
  const compared = conditions.filter(({ operator }) => operator !== "");
  for (const { property, operator, value } of compared) {
    where[property] = { ...Object(where[property]), [operator]: value };
  }
  for (const { property, value } of conditions.filter(({ operator }) => operator === "")) {
    // A property with both has its comparisons under the names that they have in an address.
    for (const [operator, operand] of Object.entries(Object(where[property]))) {
      where[`${property}][${operator}`] = operand;
    }
    where[property] = value;
  }
  return where;
}

const WITHIN = /^(\w+)\[(.+)\]$/;

/** Parameters of an address in JSON: those of `name[key]` become an object. */
function inJson(entries: readonly (readonly [string, unknown])[]): Query {
  const query: Record<string, unknown> = {};
  const conditions: Record<string, string> = {};
  for (const [name, value] of entries) {
    const [, outer = "", key = ""] = WITHIN.exec(name) ?? [];
    if (outer === "where") conditions[name] = String(value);
    else if (outer !== "") query[outer] = { ...Object(query[outer]), [key]: value };
    else query[name] = value;
  }
  const where = whereOf(withChanges(new URLSearchParams(), conditions));
  return Object.keys(where).length === 0 ? query : { ...query, where };
}

/** The question of a view, as it asks the API. */
export interface Asked {
  readonly report: Question["report"];
  /** The parameters of the report's endpoint. */
  readonly parameters: object;
  /** The settings of the link. */
  readonly query: URLSearchParams;
}

/** The question of a view as it is saved: a range that moves with time in the link does so in the saved question. */
export function questionOf({ report, parameters, query }: Asked): Question {
  const range = relativeRange(query);
  const left = range === null ? ["users"] : ["users", "from", "to"];
  const kept = Object.entries<unknown>({ ...parameters }).filter(
    ([name, value]) => value !== undefined && !left.includes(name),
  );
  return { report, range, query: inJson(kept) };
}

/** A parameter as settings of a link; an object has one for each of its keys. */
function settingsOfValue(name: string, value: unknown): [string, string | string[]][] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return [[name, value.map(String)]];
  if (typeof value !== "object") return [[name, String(value)]];
  return Object.entries(value).flatMap(([key, inner]) => settingsOfValue(`${name}[${key}]`, inner));
}

function rangeSettings({ range, query: { from, to } }: SavedQuestionReply["question"]): Changes {
  const days = DAYS.exec(range ?? "")?.[1];
  if (days !== undefined) return { days };
  if (range !== null) return { range };
  // The dashboard's views have other ranges than the API where a link names none.
  return from === undefined && to === undefined ? { days: "30" } : {};
}

/** The settings of a saved question's view. */
export function settingsOf(saved: SavedQuestionReply["question"]): Changes {
  const { steps, window_seconds, timezone, limit: _, ...rest } = saved.query;
  const settings = Object.entries({ ...rest, window: window_seconds }).flatMap(([name, value]) =>
    settingsOfValue(name, value),
  );
  return {
    ...(saved.report === "trend" ? { interval: "day" } : {}),
    ...Object.fromEntries(settings),
    ...rangeSettings(saved),
    steps: steps === undefined ? undefined : JSON.stringify(steps),
    timezone: zoneSetting(typeof timezone === "string" ? timezone : "UTC"),
  };
}

/** The setting of a link that names the saved question it was opened from. */
export const OPENED = "question";

/** The link to the view of a saved question. */
export const linkToQuestion = ({ question_id, question }: SavedQuestionReply): string =>
  linkTo([question.report], { ...settingsOf(question), [OPENED]: question_id });

const namesOf = (types: unknown): string => [types ?? []].flat().map(String).join(", ");

function subjectOf({ report, query }: SavedQuestionReply["question"]): string {
  const { steps, event_type } = query;
  if (report !== "funnel") return namesOf(event_type) || "all events";
  return [steps ?? []]
    .flat()
    .map((step) => String(Object(step).event_type))
    .join(" → ");
}

const REPORTS: Readonly<Record<string, string>> = {
  trend: "Trend",
  funnel: "Funnel",
  retention: "Retention",
};

/** A question in a few words: "Trend of purchase, Last 30 days". */
export function summaryOf(question: SavedQuestionReply["question"]): string {
  const range = question.range === null ? "fixed dates" : rangeLabel(question.range).toLowerCase();
  return `${REPORTS[question.report] ?? question.report} of ${subjectOf(question)}, ${range}`;
}

/** The order of names in lists. */
export const byName = (a: SavedQuestionReply, b: SavedQuestionReply): number => a.name.localeCompare(b.name);
