import { CatalogueTally, type TypeSummary } from "../../../domain/reports/catalogue.ts";
import type { FunnelCount, FunnelQuestion } from "../../../domain/reports/funnel.ts";
import { FunnelReader } from "../../../domain/reports/funnel-tally.ts";
import {
  type CohortCount,
  type RetentionQuestion,
  RetentionTally,
} from "../../../domain/reports/retention.ts";
import type { TrendQuestion, TrendSeries } from "../../../domain/reports/trend.ts";
import { TrendTally } from "../../../domain/reports/trend-tally.ts";
import {
  type Fact,
  type FactsQuestion,
  FactsTally,
  rangeOfFacts,
} from "../../../domain/reports/user-facts.ts";
import type { EventSource, LinkSource } from "../store.ts";
import type { Work } from "../work.ts";
import { withUsers } from "./funnel-users.ts";
import { membersOf } from "./members.ts";
import { placesByUser } from "./people.ts";
import type { Snapshot } from "./snapshot.ts";

// Answers from the events themselves: for what the rollups cannot answer, and to verify what they do.

/** All times that an event can have. */
export const EVER = { from: Number.MIN_SAFE_INTEGER, to: Number.MAX_SAFE_INTEGER };

export function* typesFromEvents(source: EventSource): Work<TypeSummary[]> {
  const tally = new CatalogueTally();
  yield* source.visit({ ...EVER, types: [], properties: true }, (event) => tally.add(event));
  return tally.types();
}

type Sources = Pick<Snapshot, "source" | "links" | "assignments">;

export function* trendFromEvents(
  { source, assignments }: Pick<Sources, "source" | "assignments">,
  question: TrendQuestion,
): Work<TrendSeries[]> {
  const { edges, event_types: types, where, breakdown } = question;
  const tally = new TrendTally(question, yield* membersOf(assignments, question.members));
  const range = { from: edges[0] ?? 0, to: edges.at(-1) ?? 0, types };
  const properties = where.length > 0 || breakdown !== undefined;
  yield* source.visit({ ...range, properties }, (event) => tally.add(event));
  return tally.series();
}

/** The events that a funnel reads. */
export const rangeOfFunnel = ({ from, to, order, steps }: FunnelQuestion) => ({
  ...{ from, to },
  types: order === "strict" ? [] : steps.map(({ event_type }) => event_type),
});

export function* funnelFromEvents(
  { source, links, assignments }: Sources,
  question: FunnelQuestion,
): Work<FunnelCount> {
  const { steps, breakdown } = question;
  const properties = breakdown !== undefined || steps.some(({ where }) => where.length > 0);
  const reader = new FunnelReader(question, yield* membersOf(assignments, question.members));
  yield* source.visit({ ...rangeOfFunnel(question), properties, byUser: true }, (event) => reader.add(event));
  return yield* withUsers({ source, links }, reader.finished());
}

/** The events that a retention reads. A user's first event may lie before any cohort. */
export const rangeOfRetention = ({ event_type, return_event_type, cohort, edges }: RetentionQuestion) => ({
  from: cohort === "first" ? EVER.from : (edges[0] ?? 0),
  to: edges.at(-1) ?? 0,
  types: [event_type, return_event_type],
});

export function* retentionFromEvents(
  { source, assignments }: Pick<Sources, "source" | "assignments">,
  question: RetentionQuestion,
): Work<CohortCount[]> {
  const tally = new RetentionTally(question, yield* membersOf(assignments, question.members));
  yield* source.visit({ ...rangeOfRetention(question), properties: false }, (event) => tally.add(event));
  return tally.counts();
}

export function* factsFromEvents(
  { source, links }: { readonly source: EventSource; readonly links: LinkSource },
  question: FactsQuestion,
): Work<Fact[]> {
  const tally = new FactsTally(question);
  const places = yield* placesByUser(links, question.users);
  const types = question.kind === "total" ? [question.event_type] : [];
  yield* source.visit({ ...rangeOfFacts(question), types, properties: true }, (event) => {
    if (event.user_id === null) return;
    for (const place of places.get(event.user_id) ?? []) tally.add(place, event);
  });
  return tally.facts();
}
