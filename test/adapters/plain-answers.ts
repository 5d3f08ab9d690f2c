import type { TypeSummary } from "../../domain/reports/catalogue.ts";
import type { Condition, Scalar } from "../../domain/reports/condition.ts";
import type { EventPage, EventPlace, StoredEvent } from "../../domain/reports/event-list.ts";
import type { FunnelCount, FunnelQuestion, StepCount } from "../../domain/reports/funnel.ts";
import type { Group } from "../../domain/reports/groups.ts";
import type { CohortCount, RetentionQuestion } from "../../domain/reports/retention.ts";
import type { Measure, TrendQuestion, TrendSeries } from "../../domain/reports/trend.ts";
import type { Fact, FactsQuestion } from "../../domain/reports/user-facts.ts";
import type { Instant } from "../../domain/time.ts";
import { plainBestRun } from "../domain/reports/plain-runs.ts";

// The reference implementation of every question, computed from a list of all events without indexes or shortcuts. It
// shares only types with the product, and is meant to be obviously correct.

const plainProperties = ({ properties }: StoredEvent): Record<string, unknown> =>
  properties === null ? {} : JSON.parse(properties);

function meetsOne(event: StoredEvent, condition: Condition): boolean {
  const found = Object.entries(plainProperties(event)).find(([name]) => name === condition.property);
  const value = found?.[1];
  if ("values" in condition) return condition.values.some((wanted) => wanted === value);
  const isNothing = found === undefined || value === null;
  if (condition.operator === "set") return !isNothing;
  if (condition.operator === "not_set") return isNothing;
  if (condition.operator === "not") return condition.operand.every((unwanted) => unwanted !== value);
  if (condition.operator === "contains") {
    return typeof value === "string" && value.toUpperCase().includes(condition.operand.toUpperCase());
  }
  if (typeof value !== "number") return false;
  const sign = Math.sign(value - condition.operand);
  return { gte: sign >= 0, gt: sign > 0, lte: sign <= 0, lt: sign < 0 }[condition.operator];
}

const meets = (event: StoredEvent, where: readonly Condition[]): boolean =>
  where.every((condition) => meetsOne(event, condition));

const isPlain = (value: unknown): value is Scalar =>
  typeof value === "string" || typeof value === "number" || typeof value === "boolean";

function plainValue(event: StoredEvent, property: string): Scalar | null {
  const found = Object.entries(plainProperties(event)).find(([name]) => name === property)?.[1];
  return isPlain(found) ? found : null;
}

const byTime = (a: EventPlace, b: EventPlace): number => a.occurred_at - b.occurred_at || a.id - b.id;
const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const isWithin = ({ occurred_at }: StoredEvent, from: Instant = 0, to: Instant = 0): boolean =>
  from <= occurred_at && occurred_at < to;

function partsOf<Item, Key>(items: readonly Item[], keyOf: (item: Item) => Key): [Key, Item[]][] {
  const parts = new Map<Key, Item[]>();
  for (const item of items) {
    const part = parts.get(keyOf(item));
    if (part === undefined) parts.set(keyOf(item), [item]);
    else part.push(item);
  }
  return [...parts];
}

const groupOf = (text: string): Group =>
  text === "null" ? { kind: "none" } : { kind: "value", value: JSON.parse(text) };

interface GroupedItems<Item> {
  readonly group: Group;
  readonly items: readonly Item[];
}

/** Groups items by value: the largest groups first, ties by the JSON of the value, then the rest as one group. */
function grouped<Item>(
  items: readonly Item[],
  valueIn: (item: Item) => Scalar | null,
  sizeOf: (some: readonly Item[]) => number,
  limit: number,
): GroupedItems<Item>[] {
  const parts = partsOf(items, (item) => JSON.stringify(valueIn(item)));
  const ranked = parts
    .map(([text, some]) => ({ text, some, size: sizeOf(some) }))
    .sort((a, b) => b.size - a.size || byText(a.text, b.text));
  const shown = ranked.slice(0, limit).map(({ text, some }) => ({ group: groupOf(text), items: some }));
  const others = ranked.slice(limit).flatMap(({ some }) => some);
  return others.length === 0 ? shown : [...shown, { group: { kind: "other" }, items: others }];
}

/** Groups items by the named values, in their order, then the rest as one group. Values without items are left out. */
function groupedAs<Item>(
  items: readonly Item[],
  valueIn: (item: Item) => Scalar | null,
  keys: readonly string[],
): GroupedItems<Item>[] {
  const keyOf = (item: Item) => JSON.stringify(valueIn(item));
  const shown = keys.map((key) => ({
    group: groupOf(key),
    items: items.filter((item) => keyOf(item) === key),
  }));
  const others = items.filter((item) => !keys.includes(keyOf(item)));
  return [...shown, { group: { kind: "other" } as const, items: others }].filter(
    (one) => one.items.length > 0,
  );
}

export function plainList(events: readonly StoredEvent[], page: EventPage): StoredEvent[] {
  const { event_types, user_id, session_id, from, to, where, limit, after } = page;
  return events
    .filter((event) => event_types.length === 0 || event_types.includes(event.event_type))
    .filter((event) => user_id === undefined || event.user_id === user_id)
    .filter((event) => session_id === undefined || event.session_id === session_id)
    .filter((event) => isWithin(event, from, to) && meets(event, where))
    .sort((a, b) => byTime(b, a))
    .filter((event) => after === undefined || byTime(event, after) < 0)
    .slice(0, limit);
}

/** Values that stand for a group of users: short texts, numbers and booleans. */
const isGroup = (value: unknown): value is string | number | boolean =>
  typeof value === "number" ||
  typeof value === "boolean" ||
  (typeof value === "string" && value.trim() !== "" && value.length <= 200 && !value.includes("\u0000"));

export function plainFacts(events: readonly StoredEvent[], question: FactsQuestion): Fact[] {
  return question.users.map(({ user_id, from, to }) => {
    const own = events.filter((event) => event.user_id === user_id && isWithin(event, from, to)).sort(byTime);
    if (question.kind === "last_value")
      return (
        own
          .map((event) => plainProperties(event)[question.property])
          .filter(isGroup)
          .at(-1) ?? null
      );
    const { event_type, property } = question;
    const values = own
      .filter((event) => event.event_type === event_type)
      .map((event) => (property === null ? 1 : plainProperties(event)[property]))
      .filter((value): value is number => typeof value === "number" && Math.abs(value) <= 1e12);
    return values.reduce((sum, value) => sum + value, 0);
  });
}

const kindOf = (value: unknown): string =>
  value === null ? "null" : Array.isArray(value) ? "array" : typeof value;

/** Groups items by name, the most frequent first. */
const byFrequency = <Item>(items: readonly Item[], nameOf: (item: Item) => string): [string, Item[]][] =>
  partsOf(items, nameOf).sort(([a, some], [b, others]) => others.length - some.length || byText(a, b));

export function plainTypes(events: readonly StoredEvent[]): TypeSummary[] {
  return byFrequency(events, ({ event_type }) => event_type).map(([event_type, own]) => {
    const times = own.map(({ occurred_at }) => occurred_at);
    const pairs = own.flatMap((event) => Object.entries(plainProperties(event)));
    const properties = byFrequency(pairs, ([name]) => name).map(([name, some]) => {
      const kinds = partsOf(some, ([, value]) => kindOf(value));
      return { name, value_types: Object.fromEntries(kinds.map(([kind, those]) => [kind, those.length])) };
    });
    const [first_seen, last_seen] = [Math.min(...times), Math.max(...times)];
    return {
      event_type,
      count: own.length,
      first_seen,
      last_seen,
      properties,
      may_have_more_properties: false,
    };
  });
}

const IDENTITY: Record<Measure, (event: StoredEvent) => string | number | null> = {
  count: ({ id }: StoredEvent) => id,
  users: ({ user_id }: StoredEvent) => user_id,
  sessions: ({ session_id }: StoredEvent) => session_id,
};

export function plainTrend(events: readonly StoredEvent[], question: TrendQuestion): TrendSeries[] {
  const { event_types, measure, edges, where, breakdown, limit, groups: named } = question;
  const identityOf = IDENTITY[measure];
  const distinct = (some: readonly StoredEvent[]) => new Set(some.map(identityOf)).size;
  const asked = events.filter(
    (event) => isWithin(event, edges[0], edges.at(-1)) && meets(event, where) && identityOf(event) !== null,
  );
  const types = event_types.length === 0 ? [null] : event_types;
  return types.flatMap((event_type): TrendSeries[] => {
    const own = asked.filter((event) => event_type === null || event.event_type === event_type);
    const seriesOf = (some: readonly StoredEvent[]) => ({
      event_type,
      total: distinct(some),
      values: edges
        .slice(1)
        .map((end, bucket) => distinct(some.filter((event) => isWithin(event, edges[bucket], end)))),
    });
    if (breakdown === undefined) return [seriesOf(own)];
    const valueIn = (event: StoredEvent) => plainValue(event, breakdown);
    const keys = named?.find((one) => one.event_type === event_type)?.keys;
    const groups =
      keys === undefined ? grouped(own, valueIn, distinct, limit) : groupedAs(own, valueIn, keys);
    return groups.map(({ group, items }) => ({ ...seriesOf(items), group }));
  });
}

interface UserRun {
  readonly times: readonly Instant[];
  /** The value of the property in the run's first event. */
  readonly value: Scalar | null;
  readonly first: StoredEvent;
}

function plainRuns(events: readonly StoredEvent[], question: FunnelQuestion): UserRun[] {
  const { steps, order, window_ms, from, to, breakdown } = question;
  const inRange = events.filter((event) => event.user_id !== null && isWithin(event, from, to)).sort(byTime);
  return partsOf(inRange, ({ user_id }) => user_id).flatMap(([, own]) => {
    const footsteps = own.map((event) => ({
      id: event.id,
      occurred_at: event.occurred_at,
      fits: steps.flatMap(({ event_type, where }, step) =>
        event.event_type === event_type && meets(event, where) ? [step] : [],
      ),
    }));
    const run = plainBestRun(footsteps, { order, steps: steps.length, window: window_ms });
    const first = own.find(({ id }) => id === run?.first);
    if (run === undefined || first === undefined) return [];
    return [
      { first, times: run.times, value: breakdown === undefined ? null : plainValue(first, breakdown) },
    ];
  });
}

/** Median, or null without numbers. */
function median(numbers: readonly number[]): number | null {
  if (numbers.length === 0) return null;
  const sorted = [...numbers].sort((a, b) => a - b);
  const [low = 0, high = 0] = [
    sorted[Math.ceil(sorted.length / 2) - 1],
    sorted[Math.floor(sorted.length / 2)],
  ];
  return (low + high) / 2;
}

export function plainFunnel(events: readonly StoredEvent[], question: FunnelQuestion): FunnelCount {
  const stepCounts = (runs: readonly UserRun[]): StepCount[] =>
    question.steps.map((_, step) => {
      const there = runs.filter(({ times }) => times.length > step);
      const took = there.map(({ times }) => (times[step] ?? 0) - (times[step - 1] ?? 0));
      return { users: there.length, median_ms: step === 0 ? null : median(took) };
    });
  const runs = plainRuns(events, question);
  const users = plainFunnelUsers(runs, question);
  if (question.breakdown === undefined) return { steps: stepCounts(runs), ...users };
  const groups = grouped(
    runs,
    ({ value }) => value,
    (some) => some.length,
    question.limit,
  );
  return {
    steps: stepCounts(runs),
    groups: groups.map(({ group, items }) => ({ group, steps: stepCounts(items) })),
    ...users,
  };
}

function plainFunnelUsers(
  runs: readonly UserRun[],
  { users: listing }: FunnelQuestion,
): Pick<FunnelCount, "users"> {
  if (listing === undefined) return {};
  const { step, outcome, limit } = listing;
  const listed = runs.filter(({ times }) =>
    outcome === "reached" ? times.length >= step : times.length === step,
  );
  const newest = listed.map(({ first }) => first).sort((a, b) => b.id - a.id);
  return {
    users: newest
      .slice(0, limit)
      .map(({ user_id, occurred_at }) => ({ user_id: user_id ?? "", began_at: occurred_at })),
  };
}

export function plainRetention(events: readonly StoredEvent[], question: RetentionQuestion): CohortCount[] {
  const { event_type, return_event_type, cohort, edges, cohorts, periods } = question;
  const known = events.filter(({ user_id }) => user_id !== null);
  const joining = known.filter((event) => event_type === null || event.event_type === event_type);
  const returning = known.filter(
    (event) => return_event_type === null || event.event_type === return_event_type,
  );
  const firsts = partsOf(joining.sort(byTime), ({ user_id }) => user_id).flatMap(([, own]) =>
    own.slice(0, 1),
  );
  const usersIn = (some: readonly StoredEvent[]) =>
    edges
      .slice(1)
      .map((end, period) => some.filter((event) => isWithin(event, edges[period], end)))
      .map((inPeriod) => new Set(inPeriod.map(({ user_id }) => user_id)));
  const joined = usersIn(cohort === "first" ? firsts : joining);
  const returned = usersIn(returning);
  return joined.slice(0, cohorts).map((users, index) => ({
    users: users.size,
    returned: returned
      .slice(index, index + periods)
      .map((those) => [...users].filter((user) => those.has(user)).length),
  }));
}
