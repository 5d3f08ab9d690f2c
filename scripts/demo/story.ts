import type { NewEvent } from "../../domain/events/event.ts";
import { DAY, HOUR, type Instant } from "../../domain/time.ts";
import { type Calendar, calendarUntil, DAYS, nextVisit, timeOn } from "./calendar.ts";
import { type DemoTest, demoTests } from "./experiments.ts";
import { newPerson, type Person } from "./people.ts";
import { type Random, randomOf } from "./random.ts";
import { openScene } from "./scene.ts";
import { playVisit } from "./visit.ts";

/** The size and the end of a story. Equal values give equal events. */
export interface StorySize {
  readonly seed: number;
  readonly now: Instant;
  /** Approximate number of events. */
  readonly events: number;
  /** Approximate number of users. */
  readonly users: number;
}

// Measured: events for each visit of a user, with a share of the visits without a user; returns at a pace of 1; and the
// exponent by which returns grow with the pace, below 1 because two visits are at least two hours apart.
const EVENTS_PER_VISIT = 5.15;
const RETURNS = 2.5;
const RETURNS_GROWTH = 0.8;

/** Events for each user at a pace of 1. */
export const USUAL_EVENTS = 18;
/** The fewest events for each user with which every user visits once. */
export const FEWEST_EVENTS = 6;

const paceFor = ({ events, users }: StorySize): number =>
  (Math.max(0, events / users / EVENTS_PER_VISIT - 1) / RETURNS) ** (1 / RETURNS_GROWTH);

// Visits without cookies for each user.
const ANONYMOUS = 0.35;
// Share of the visits in an outage that are recorded.
const SEEN_IN_OUTAGE = 0.2;

/** Queues items by the hour in which they happen; an hour that was read is dropped. */
class Hours<T> {
  readonly #start: Instant;
  readonly #lists: (T[] | undefined)[] = [];

  constructor(start: Instant) {
    this.#start = start;
  }

  add(at: Instant, thing: T): void {
    const hour = Math.floor((at - this.#start) / HOUR);
    const list = this.#lists[hour];
    if (list === undefined) this.#lists[hour] = [thing];
    else list.push(thing);
  }

  take(hour: number): T[] {
    const list = this.#lists[hour] ?? [];
    this.#lists[hour] = undefined;
    return list;
  }
}

interface PlannedVisit {
  readonly person: Person;
  readonly at: Instant;
}

interface Story {
  readonly random: Random;
  readonly calendar: Calendar;
  readonly button: DemoTest;
  readonly pace: number;
  readonly visits: Hours<PlannedVisit>;
  readonly events: Hours<NewEvent>;
  users: number;
  sessions: number;
}

function openStory(size: StorySize): Story {
  const { seed, now } = size;
  const calendar = calendarUntil(now);
  return {
    random: randomOf(seed),
    calendar,
    button: demoTests(seed, calendar).button,
    pace: paceFor(size),
    visits: new Hours(calendar.start),
    events: new Hours(calendar.start),
    users: 0,
    sessions: 0,
  };
}

/**
 * The events of a shop's first ninety days, ordered by time. They are generated hour by hour, and only people and the
 * events ahead are in memory, so there may be many millions.
 */
export function* demoEvents(size: StorySize): Generator<NewEvent> {
  const story = openStory(size);
  for (let hour = 0; hour < DAYS * 24; hour++) {
    if (hour % 24 === 0) welcome(story, hour / 24, size.users);
    for (const visit of story.visits.take(hour)) play(story, visit);
    const events = story.events.take(hour).sort((a, b) => a.occurred_at - b.occurred_at);
    for (const event of events) {
      if (event.occurred_at > size.now) return;
      yield event;
    }
  }
}

/** Adds the people whose first visit is on this day. */
function welcome(story: Story, day: number, users: number): void {
  const { calendar, random } = story;
  const expected = users * (calendar.arrivals[day] ?? 0);
  const midnight = calendar.start + day * DAY;
  for (let count = wholeOf(expected, random); count > 0; count--) {
    story.users += 1;
    invite(story, `user-${String(story.users).padStart(6, "0")}`, midnight);
  }
  for (let count = wholeOf(expected * ANONYMOUS, random); count > 0; count--) invite(story, null, midnight);
}

/** Rounds up or down at random, so that the average is kept. */
const wholeOf = (expected: number, random: Random): number => Math.floor(expected + random.unit());

function invite({ random, pace, visits }: Story, id: string | null, midnight: Instant): void {
  const person = newPerson(id, midnight, pace, random);
  const at = timeOn(midnight, person.hoursAhead, random);
  visits.add(at, { person, at });
}

function play(story: Story, { person, at }: PlannedVisit): void {
  const { random, calendar, visits } = story;
  if (!calendar.isOutage(at) || random.chance(SEEN_IN_OUTAGE)) enact(story, person, at);
  const next = nextVisit(at, random.exponential(person.gapDays), person.hoursAhead, random);
  if (next < person.leavesAt && next <= calendar.now) visits.add(next, { person, at: next });
}

function enact(story: Story, person: Person, start: Instant): void {
  const { random, calendar, button, events } = story;
  story.sessions += 1;
  const session_id = `s-${story.sessions.toString(36).padStart(5, "0")}`;
  const record = (event: NewEvent): void => events.add(event.occurred_at, event);
  playVisit(openScene({ person, random, calendar, button, session_id, start, record }));
}
