import fc, { type Arbitrary } from "fast-check";
import type { NewEvent } from "../../domain/events/event.ts";
import { messageKey } from "../../domain/events/message-id.ts";
import { edgesOf, Interval } from "../../domain/reports/buckets.ts";
import type { Condition, Scalar } from "../../domain/reports/condition.ts";
import type { EventPage, StoredEvent } from "../../domain/reports/event-list.ts";
import type { FunnelQuestion } from "../../domain/reports/funnel.ts";
import type { RetentionQuestion } from "../../domain/reports/retention.ts";
import type { TrendQuestion } from "../../domain/reports/trend.ts";
import type { FactsQuestion } from "../../domain/reports/user-facts.ts";
import type { EventStore, PeopleStore } from "../../domain/storage.ts";
import { DAY, HOUR, type Instant } from "../../domain/time.ts";
import { plainPeople } from "./plain-people.ts";

export type FromArbitrary<A> = A extends Arbitrary<infer Value> ? Value : never;

// Random histories and questions. Few distinct values, so that events share buckets, users and instants.

const MINUTE = 60_000;
const ARRIVED = Date.parse("2026-11-22T10:00:00.123Z");

/** A time zone and an instant near one of its clock changes. */
interface Place {
  readonly zone: string;
  readonly around: Instant;
}

const placeOf = ([zone, time]: readonly [string, string]): Place => ({ zone, around: Date.parse(time) });

const PLACES: readonly Place[] = [
  ["UTC", "2026-03-01T00:00:00Z"],
  ["Europe/Berlin", "2026-03-29T01:00:00Z"],
  ["Europe/Berlin", "2026-10-25T01:00:00Z"],
  ["America/New_York", "2026-11-01T06:00:00Z"],
  ["Asia/Kolkata", "2026-01-01T00:00:00Z"],
  ["Asia/Kathmandu", "1985-12-31T18:30:00Z"],
  ["Australia/Lord_Howe", "2026-04-04T15:00:00Z"],
  ["America/St_Johns", "2006-10-29T02:31:00Z"],
  ["Pacific/Apia", "2011-12-30T10:00:00Z"],
].map(([zone = "", time = ""]) => placeOf([zone, time]));

const PERIODS = Interval.options.filter((interval) => interval !== "hour");
const TYPES = ["view", "cart", "buy", "käuft 😀"];
const USERS = ["ann", "bob", "5", "üser 😀"];
const SESSIONS = ["s1", "s2", "s3"];
const PROPERTIES = ["plan", "a.b", 'the "size"', "0", "größe[$]"];

// The last two characters sort differently by UTF-16 code units and by code points.
const LONG = "long ".repeat(50);
const SCALARS: readonly Scalar[] = [
  LONG,
  "pro",
  "5",
  5,
  "true",
  true,
  false,
  "",
  0,
  -1.5,
  1e21,
  "a\u0000b",
  "😀",
  "～",
];
const VALUES = [...SCALARS, null, {}, { plan: "pro" }, [], ["pro"], [5]];

const maybe = <T>(some: fc.Arbitrary<T>) => fc.option(some, { nil: null });
const perhaps = <T>(some: fc.Arbitrary<T>) => fc.option(some, { nil: undefined });

/** Mostly near the place, on the hour or close to it; now and then years away, also before 1970. */
const instant = (around: Instant): fc.Arbitrary<Instant> =>
  fc.oneof(
    { weight: 3, arbitrary: fc.integer({ min: -30, max: 30 }).map((hours) => around + hours * HOUR) },
    { weight: 3, arbitrary: fc.integer({ min: -9, max: 9 }).map((some) => around + some * 10 * MINUTE) },
    { weight: 1, arbitrary: fc.integer({ min: -3, max: 3 }).map((some) => around + some) },
    { weight: 2, arbitrary: fc.integer({ min: -40, max: 40 }).map((days) => around + days * DAY - 1) },
    { weight: 1, arbitrary: fc.constantFrom(-62_167_219_200_000, -1, 0, 946_684_799_999) },
  );

const properties = maybe(
  fc
    .dictionary(fc.constantFrom(...PROPERTIES, ""), fc.constantFrom(...VALUES), {
      maxKeys: 3,
      noNullPrototype: true,
    })
    .map((all) => JSON.stringify(all)),
);

const event = (around: Instant): fc.Arbitrary<NewEvent> =>
  fc.record({
    event_type: fc.constantFrom(...TYPES),
    user_id: maybe(fc.constantFrom(...USERS)),
    session_id: maybe(fc.constantFrom(...SESSIONS)),
    properties,
    created_at: fc.constant(ARRIVED),
    occurred_at: instant(around),
    message_key: fc.option(
      fc.integer({ min: 0, max: 30 }).map((id) => messageKey(`message ${id}`)),
      { nil: null },
    ),
  });

/** Bucket edges at arbitrary instants, which may be so far apart that all events are in one bucket. */
const anyEdges = (around: Instant): fc.Arbitrary<Instant[]> =>
  fc.uniqueArray(instant(around), { minLength: 2, maxLength: 8 }).map((edges) => edges.sort((a, b) => a - b));

/** Bucket edges at the periods of the zone. The first and last period may be partial. */
const clockEdges = (
  { zone, around }: Place,
  intervals: readonly Interval[],
): fc.Arbitrary<readonly Instant[]> =>
  fc.record({ interval: fc.constantFrom(...intervals), ends: anyEdges(around) }).map((cut) => {
    const near = cut.ends.map((end) => Math.max(around - 40 * DAY, end));
    const [from, to] = [Math.min(...near), Math.max(...near) + 1];
    const edges = edgesOf(cut.interval, zone, from, to, 2_000) ?? [];
    return [from, ...edges.slice(1, -1), to];
  });

const edges = (place: Place, intervals: readonly Interval[]) =>
  fc.oneof(clockEdges(place, intervals), anyEdges(place.around));

const scalars = fc.uniqueArray(fc.constantFrom(...SCALARS, -0), { minLength: 1, maxLength: 3 });
const property = fc.constantFrom(...PROPERTIES);

const comparison: fc.Arbitrary<Condition> = fc.oneof(
  fc.record({ property, operator: fc.constant("not" as const), operand: scalars }),
  fc.record({ property, operator: fc.constantFrom("set", "not_set") }),
  fc.record({
    property,
    operator: fc.constant("contains" as const),
    operand: fc.constantFrom("r", "5", "LONG"),
  }),
  fc.record({
    property,
    operator: fc.constantFrom("gte", "gt", "lte", "lt"),
    operand: fc.constantFrom(-1.5, 0, -0, 5, 5.5),
  }),
);

const conditions: fc.Arbitrary<Condition[]> = fc.oneof(
  { weight: 2, arbitrary: fc.constant<Condition[]>([]) },
  {
    weight: 1,
    arbitrary: fc.array(fc.oneof(fc.record({ property, values: scalars }), comparison), {
      minLength: 1,
      maxLength: 2,
    }),
  },
);

const breakdown = perhaps(property);
const limit = fc.integer({ min: 1, max: 4 });
const someTypes = fc.uniqueArray(fc.constantFrom(...TYPES, "never"), { maxLength: 3 });

const keys = fc.uniqueArray(
  fc.constantFrom("null", '"pro"', '"free"', "5", '"5"', '"never"', '"variant 0"'),
  {
    maxLength: 4,
  },
);

/** Groups that are named for each type of a question. */
const groupsOf = (types: readonly string[]) =>
  perhaps(
    fc.tuple(
      ...(types.length === 0 ? [null] : types).map((event_type) =>
        keys.map((some) => ({ event_type, keys: some })),
      ),
    ),
  );

export const trendQuestion = (place: Place): fc.Arbitrary<TrendQuestion> =>
  fc
    .record({
      event_types: someTypes,
      measure: fc.constantFrom("count", "count", "users", "sessions"),
      edges: edges(place, Interval.options),
      where: conditions,
      breakdown,
      limit,
    })
    .chain((question) => groupsOf(question.event_types).map((groups) => ({ ...question, groups })));

const span = (around: Instant) =>
  anyEdges(around).map((some) => ({ from: some[0] ?? 0, to: some.at(-1) ?? 0 }));

export const funnelQuestion = ({ around }: Place): fc.Arbitrary<FunnelQuestion> =>
  fc
    .record({
      steps: fc.array(fc.record({ event_type: fc.constantFrom(...TYPES), where: conditions }), {
        minLength: 2,
        maxLength: 4,
      }),
      order: fc.constantFrom("ordered", "strict", "unordered"),
      window_ms: fc.constantFrom(1_000, 10 * MINUTE, HOUR, DAY, 366 * DAY),
      range: span(around),
      breakdown,
      limit,
      users: fc.option(
        fc.record({
          // A step that the funnel does not have is left by nobody.
          step: fc.integer({ min: 1, max: 4 }),
          outcome: fc.constantFrom("reached", "left"),
          limit: fc.constantFrom(1, 2, 50),
        }),
        { nil: undefined },
      ),
    })
    .map(({ range, ...rest }) => ({ ...rest, ...range }));

export const retentionQuestion = (place: Place): fc.Arbitrary<RetentionQuestion> =>
  fc
    .record({
      event_type: maybe(fc.constantFrom(...TYPES)),
      return_event_type: maybe(fc.constantFrom(...TYPES)),
      cohort: fc.constantFrom("first", "recurring"),
      edges: edges(place, PERIODS),
      following: fc.nat({ max: 3 }),
      periods: fc.integer({ min: 1, max: 6 }),
    })
    .map(({ following, ...rest }) => ({ ...rest, cohorts: Math.max(1, rest.edges.length - 1 - following) }));

export const listQuestion = ({ around }: Place): fc.Arbitrary<EventPage> =>
  fc
    .record({
      event_types: someTypes,
      user_id: perhaps(fc.constantFrom(...USERS)),
      session_id: perhaps(fc.constantFrom(...SESSIONS)),
      where: conditions,
      range: span(around),
      limit: fc.integer({ min: 1, max: 20 }),
    })
    .map(({ range, ...rest }) => ({ ...rest, ...range }));

export const factsQuestion = ({ around }: Place): fc.Arbitrary<FactsQuestion> => {
  const users = fc
    .array(fc.tuple(fc.constantFrom(...USERS, "nobody"), span(around)), { maxLength: 5 })
    .map((some) => some.map(([user_id, range]) => ({ user_id, ...range })));
  return fc.oneof(
    fc.record({
      kind: fc.constant("total" as const),
      event_type: fc.constantFrom(...TYPES),
      property: fc.option(property),
      users,
    }),
    fc.record({ kind: fc.constant("last_value" as const), property, users }),
  );
};

/** A claim that an anonymous id and a user id are one person. */
type Claim = readonly [anonymous_id: string, user_id: string];

const claims = fc.array(
  fc.tuple(fc.constantFrom(...USERS), fc.constantFrom(...USERS)).filter(([a, b]) => a !== b),
  { maxLength: 2 },
);

/** A batch of events, and the ids that are linked after it. */
interface Batch {
  readonly events: readonly NewEvent[];
  readonly claims: readonly Claim[];
}

/** A history in batches, and questions of one kind to ask after each batch and after its links. */
export interface Story<Question> {
  readonly batches: readonly Batch[];
  readonly questions: readonly Question[];
}

const batches = (around: Instant): fc.Arbitrary<Batch[]> =>
  fc.array(fc.record({ events: fc.array(event(around), { maxLength: 14 }), claims }), {
    minLength: 1,
    maxLength: 3,
  });

export const storyOf = <Question>(
  questionAt: (place: Place) => fc.Arbitrary<Question>,
): fc.Arbitrary<Story<Question>> =>
  fc.constantFrom(...PLACES).chain((place) =>
    fc.record({
      batches: batches(place.around),
      questions: fc.array(questionAt(place), { minLength: 1, maxLength: 3 }),
    }),
  );

/** A history in batches, the user who is erased after each, and questions of every kind. */
export const erasureStories = fc.constantFrom(...PLACES).chain((place) =>
  fc.record({
    turns: fc.array(
      fc.record({
        batch: fc.array(event(place.around), { maxLength: 14 }),
        claims,
        erased: fc.constantFrom(...USERS, "never"),
      }),
      { minLength: 1, maxLength: 4 },
    ),
    trends: fc.array(trendQuestion(place), { minLength: 1, maxLength: 3 }),
    funnels: fc.array(funnelQuestion(place), { maxLength: 1 }),
    retentions: fc.array(retentionQuestion(place), { maxLength: 1 }),
    lists: fc.array(listQuestion(place), { maxLength: 2 }),
  }),
);

const place = fc.nat({ max: 1 });

/** An assignment in one of two experiments with three variants each. */
const enrolment = (around: Instant) =>
  fc.record({
    experiment: place,
    variant: fc.nat({ max: 2 }),
    user_id: fc.constantFrom(...USERS, "idle"),
    assigned_at: instant(around),
  });
export type Enrolment = FromArbitrary<ReturnType<typeof enrolment>>;

const people = (around: Instant) =>
  fc.record({
    experiment: place,
    variants: fc.subarray([0, 1, 2], { minLength: 1 }),
    until: maybe(instant(around)),
  });

/** The people that a question is about, by the places of experiments and variants. */
const wantedMembers = (around: Instant) =>
  fc.oneof(
    fc.record({
      among: fc.array(people(around), { minLength: 1, maxLength: 2 }),
      breakdown: fc.constant(undefined),
    }),
    fc.record({ among: fc.array(people(around), { maxLength: 1 }), breakdown: people(around) }),
  );
export type WantedMembers = FromArbitrary<ReturnType<typeof wantedMembers>>;

/** A history with assignments, links and erasures, and questions about the people of experiments. */
export const memberStories = fc.constantFrom(...PLACES).chain((at) => {
  const about = <Question>(question: fc.Arbitrary<Question>) =>
    fc.array(fc.record({ question, wanted: wantedMembers(at.around) }), { minLength: 1, maxLength: 1 });
  return fc.record({
    turns: fc.array(
      fc.record({
        events: fc.array(event(at.around), { maxLength: 14 }),
        enrolments: fc.array(enrolment(at.around), { maxLength: 5 }),
        claims,
        erased: fc.option(fc.constantFrom(...USERS), { nil: undefined, freq: 4 }),
      }),
      { minLength: 1, maxLength: 3 },
    ),
    trends: about(trendQuestion(at)),
    funnels: about(funnelQuestion(at)),
    retentions: about(retentionQuestion(at)),
  });
});

/** A history, how long its events are kept, and questions of every kind. */
export const expiryStories = fc.constantFrom(...PLACES).chain((place) =>
  fc.record({
    events: fc.array(event(place.around), { maxLength: 60 }),
    now: instant(place.around),
    keeping: fc.record({
      days: maybe(fc.integer({ min: 1, max: 40 })),
      byType: fc.dictionary(fc.constantFrom(...TYPES), fc.integer({ min: 1, max: 40 }), { maxKeys: 2 }),
    }),
    trends: fc.array(trendQuestion(place), { minLength: 1, maxLength: 3 }),
    funnels: fc.array(funnelQuestion(place), { maxLength: 1 }),
    retentions: fc.array(retentionQuestion(place), { maxLength: 1 }),
    lists: fc.array(listQuestion(place), { maxLength: 2 }),
  }),
);

/** The same, with events that arrive when those of their time have been removed, and a user who is erased then. */
export const keptCountsStories = fc.constantFrom(...PLACES).chain((place) =>
  fc.record({
    events: fc.array(event(place.around), { maxLength: 60 }),
    late: fc.array(event(place.around), { maxLength: 12 }),
    erased: fc.constantFrom(...USERS, "never"),
    now: instant(place.around),
    keeping: fc.record({
      days: fc.integer({ min: 1, max: 40 }),
      byType: fc.dictionary(fc.constantFrom(...TYPES), fc.integer({ min: 1, max: 40 }), { maxKeys: 2 }),
    }),
    trends: fc.array(trendQuestion(place), { minLength: 1, maxLength: 3 }),
    funnels: fc.array(funnelQuestion(place), { maxLength: 1 }),
  }),
);

/** Time and zone of the large history. */
export const LARGE_AT: Place = placeOf(["Europe/Berlin", "2026-03-29T01:00:00Z"]);
const VISITORS = 5_400;
const REGULARS = 999;
const BATCH = 500;

/** One of 5,400 events within an hour. Three quarters of them have a distinct value. */
const visit = (n: number): NewEvent => ({
  event_type: "view",
  user_id: `visitor ${n % 4_900}`,
  session_id: `session ${n % 3_000}`,
  properties: JSON.stringify({ plan: n % 4 === 0 ? "pro" : `plan ${n}`, "a.b": n % 7 }),
  created_at: ARRIVED,
  occurred_at: LARGE_AT.around + n * 400,
  message_key: null,
});

/** An event with nearly the maximum number of properties. */
const wide: NewEvent = {
  ...visit(0),
  event_type: "cart",
  properties: JSON.stringify(Object.fromEntries(Array.from({ length: 250 }, (_, n) => [`property ${n}`, n]))),
};

/** The same 6,400 events each time, in batches: many visitors within an hour, mixed with regular users over months. */
export function largeHistory(): NewEvent[][] {
  const regulars = fc
    .sample(event(LARGE_AT.around), { seed: 20, numRuns: REGULARS })
    .map((one, n): NewEvent => ({ ...one, user_id: `regular ${n % 50}`, message_key: null }));
  const all = [wide, ...Array.from({ length: VISITORS }, (_, n) => visit(n)), ...regulars];
  // The step is a prime that does not divide the length, so that it visits each event once.
  const mixed = all.flatMap((_, n) => all[(n * 4_441) % all.length] ?? []);
  return Array.from({ length: Math.ceil(mixed.length / BATCH) }, (_, turn) =>
    mixed.slice(turn * BATCH, (turn + 1) * BATCH),
  );
}

/** Keeps a plain list of a storage's events and people. Of equal messages only the first one is an event. */
export function historyOf(storage: EventStore & PeopleStore) {
  const { personOf, link, forget } = plainPeople();
  const events: StoredEvent[] = [];
  const messages = new Set<string>();

  function isNew(key: Uint8Array | null): boolean {
    if (key === null) return true;
    const text = Buffer.from(key).toString("hex");
    const known = messages.has(text);
    messages.add(text);
    return !known;
  }

  return {
    events,
    personOf,
    /** Links ids in the storage; returns what it and the plain list answer. */
    async link([anonymous_id, user_id]: Claim) {
      const { kind } = await storage.linkUsers({ anonymous_id, user_id, linked_at: ARRIVED });
      return { stored: kind, plain: link(anonymous_id, user_id) };
    },
    /** Forgets the events that are not picked; returns how many. */
    keep(isKept: (event: StoredEvent) => boolean): number {
      const left = events.filter(isKept);
      const gone = events.length - left.length;
      events.splice(0, events.length, ...left);
      return gone;
    },
    /** Forgets the events of a person, whose messages stay known, and the links; returns how many events and links. */
    erase(userId: string) {
      const person = personOf(userId);
      const left = events.filter(({ user_id }) => user_id === null || personOf(user_id) !== person);
      const erased = { events: events.length - left.length, links: forget(person) };
      events.splice(0, events.length, ...left);
      return erased;
    },
    async append(batch: readonly NewEvent[]): Promise<void> {
      const answers = await storage.appendEvents(batch);
      for (const [
        index,
        { message_key, latest_at: _, client_timestamp = null, ...fields },
      ] of batch.entries()) {
        if (isNew(message_key)) events.push({ ...fields, client_timestamp, id: answers[index]?.id ?? 0 });
      }
    },
  };
}
