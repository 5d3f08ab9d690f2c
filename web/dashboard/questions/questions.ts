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

/** The question of a view, as it asks the API. */
export interface Asked {
  readonly report: Question["report"];
  /** The parameters of the report's endpoint. */
  readonly parameters: object;
  /** The settings of the link. */
  readonly query: URLSearchParams;
}

const NOT_SAVED = ["from", "to", "users"];

/** The question of a view as it is saved: a range that moves with time in the link does so in the saved question. */
export function questionOf({ report, parameters, query }: Asked): Question {
  const range = relativeRange(query);
  const entries = Object.entries<Changes[string]>({ ...parameters });
  const isCondition = ([name]: [string, unknown]) => name.startsWith("where[");
  const kept = entries.filter(([name, value]) => value !== undefined && !NOT_SAVED.includes(name));
  const where = whereOf(withChanges(new URLSearchParams(), Object.fromEntries(kept.filter(isCondition))));
  const dates = range === null ? entries.filter(([name]) => name === "from" || name === "to") : [];
  return {
    report,
    range,
    query: {
      ...Object.fromEntries(kept.filter((entry) => !isCondition(entry))),
      ...Object.fromEntries(dates.filter(([, value]) => value !== undefined)),
      ...(Object.keys(where).length === 0 ? {} : { where }),
    },
  };
}

const textsOf = (value: unknown): string | string[] | undefined => {
  if (value === undefined || value === null) return undefined;
  return Array.isArray(value) ? value.map(String) : String(value);
};

function conditionSettings(where: unknown): Changes {
  const settings = Object.entries<unknown>(Object(where)).flatMap(([name, value]) =>
    typeof value === "object" && value !== null
      ? Object.entries(value).map(([operator, operand]) => [`where[${name}][${operator}]`, String(operand)])
      : [[`where[${name}]`, String(value)]],
  );
  return Object.fromEntries(settings);
}

function rangeSettings({ range, query: { from, to } }: SavedQuestionReply["question"]): Changes {
  const days = DAYS.exec(range ?? "")?.[1];
  if (days !== undefined) return { days };
  if (range !== null) return { range };
  // The dashboard's views have other ranges than the API where a link names none.
  return from === undefined && to === undefined ? { days: "30" } : { from: textsOf(from), to: textsOf(to) };
}

/** The settings of a saved question's view. */
export function settingsOf(saved: SavedQuestionReply["question"]): Changes {
  const { where, steps, window_seconds, timezone, limit: _, from: __, to: ___, ...rest } = saved.query;
  const texts = Object.entries(rest).map(([name, value]) => [name, textsOf(value)]);
  return {
    ...(saved.report === "trend" ? { interval: "day" } : {}),
    ...Object.fromEntries(texts),
    ...conditionSettings(where),
    ...rangeSettings(saved),
    steps: steps === undefined ? undefined : JSON.stringify(steps),
    window: textsOf(window_seconds),
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
