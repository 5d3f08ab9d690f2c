import { describe, expect, test } from "vitest";
import { EventInput, type NewEvent } from "../../domain/events/event.ts";
import { DAY } from "../../domain/time.ts";
import { calendarUntil, DAYS } from "../../scripts/demo/calendar.ts";
import { randomOf } from "../../scripts/demo/random.ts";
import { messageKeyOf } from "../../scripts/demo/scene.ts";
import { demoEvents, type StorySize } from "../../scripts/demo/story.ts";
import { NOW } from "../world.ts";

const size = { seed: 1, now: NOW, events: 20_000, users: 1_100 };
const storyOf = (changes: Partial<StorySize> = {}): NewEvent[] => [...demoEvents({ ...size, ...changes })];

const usersIn = (events: readonly NewEvent[]): Set<string | null> =>
  new Set(events.map(({ user_id }) => user_id).filter((id) => id !== null));

test("a story depends only on its seed", () => {
  const events = storyOf();
  expect(storyOf()).toEqual(events);
  expect(storyOf({ seed: 2 }).slice(0, 100)).not.toEqual(events.slice(0, 100));
});

test.each([
  { events: 20_000, users: 1_100 },
  { events: 60_000, users: 3_300 },
  { events: 40_000, users: 4_000 },
  { events: 60_000, users: 1_500 },
])("a story has about the requested $events events of $users users", (asked) => {
  const events = storyOf(asked);
  expect(events.length / asked.events).toBeGreaterThan(0.85);
  expect(events.length / asked.events).toBeLessThan(1.15);
  expect(usersIn(events).size / asked.users).toBeGreaterThan(0.97);
  expect(usersIn(events).size / asked.users).toBeLessThan(1.02);
});

test.each(["2026-11-22T10:00:00.000Z", "2026-11-22T00:00:00.000Z", "2026-11-21T23:59:59.999Z"])(
  "at %s the story covers the previous ninety days in order of time",
  (time) => {
    const now = Date.parse(time);
    const times = storyOf({ now }).map(({ occurred_at }) => occurred_at);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    const [first = 0, last = 0] = [times[0], times.at(-1)];
    expect(first).toBeGreaterThanOrEqual(now - DAYS * DAY);
    expect(first).toBeLessThan(now - (DAYS - 2) * DAY);
    expect(last).toBeLessThanOrEqual(now);
    expect(last).toBeGreaterThan(now - DAY / 4);
  },
);

test("events are generated lazily", () => {
  const story = demoEvents({ seed: 1, now: NOW, events: 100_000_000, users: 5_000_000 });
  expect(story.next()).toMatchObject({ done: false });
});

test("every event is valid for the API and has a session", () => {
  for (const { event_type, user_id, session_id, properties } of storyOf()) {
    const sent = { event_type, user_id, session_id, properties: JSON.parse(properties ?? "") };
    expect(EventInput.safeParse(sent)).toEqual({ success: true, data: sent });
    expect(user_id ?? "user-000000").toMatch(/^user-\d{6}$/);
    expect(session_id).toMatch(/^s-[0-9a-z]{5}$/);
  }
});

test("there are twenty event types with properties of text, numbers and booleans", () => {
  const events = storyOf();
  expect(new Set(events.map(({ event_type }) => event_type)).size).toBe(20);
  const values = events.flatMap(({ properties }) => Object.values(JSON.parse(properties ?? "")));
  expect(new Set(values.map((value) => typeof value))).toEqual(new Set(["string", "number", "boolean"]));
});

test("a session belongs to one person and ends within hours", () => {
  const sessions = new Map<string | null, NewEvent[]>();
  for (const event of storyOf()) {
    sessions.set(event.session_id, [...(sessions.get(event.session_id) ?? []), event]);
  }
  for (const events of sessions.values()) {
    expect(new Set(events.map(({ user_id }) => user_id)).size).toBe(1);
    expect((events.at(-1)?.occurred_at ?? 0) - (events[0]?.occurred_at ?? 0)).toBeLessThan(DAY / 4);
    expect(events[0]?.event_type).toBe("page_view");
  }
});

describe("message ids", () => {
  const hex = (key: Uint8Array | null): string => Buffer.from(key ?? []).toString("hex");

  test("are distinct UUIDv7s with the time of their event", () => {
    const events = storyOf();
    expect(new Set(events.map(({ message_key }) => hex(message_key))).size).toBe(events.length);
    for (const { message_key, occurred_at } of events) {
      expect(hex(message_key)).toMatch(/^[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}$/);
      expect(Number.parseInt(hex(message_key).slice(0, 12), 16)).toBe(occurred_at);
    }
  });

  test("use all bits of a UUID", () => {
    const random = randomOf(1);
    const seen = new Uint8Array(16);
    for (let round = 0; round < 200; round++) {
      for (const [place, byte] of messageKeyOf(NOW, random).entries())
        seen[place] = (seen[place] ?? 0) | byte;
    }
    expect(hex(seen).slice(12)).toBe("7fffbfffffffffffffff");
  });
});

describe("the ninety days", () => {
  const calendar = calendarUntil(NOW);
  const events = storyOf({ events: 60_000, users: 3_300 });
  const count = (fits: (event: NewEvent) => boolean): number => events.filter(fits).length;
  const onDays = (from: number, to: number) =>
    count(({ occurred_at: at }) => {
      const day = (at - calendar.start) / DAY;
      return day >= from && day < to;
    });

  test("show growth of the shop", () => {
    expect(onDays(75, 89)).toBeGreaterThan(2 * onDays(15, 29));
  });

  test("show more visitors during a campaign than in the week before", () => {
    expect(onDays(47, 51)).toBeGreaterThan(1.3 * onDays(40, 44));
    const fromCampaign = events.filter(({ properties }) => properties?.includes('"spring_campaign"'));
    expect(fromCampaign.length).toBeGreaterThan(100);
    expect(fromCampaign.every(({ occurred_at }) => calendar.isCampaign(occurred_at))).toBe(true);
  });

  test("show campaigns to the end", () => {
    const lastMonth = events.filter(({ occurred_at }) => occurred_at >= NOW - 30 * DAY);
    const campaigns = lastMonth.map(({ properties }) => JSON.parse(properties ?? "").utm_campaign);
    expect(new Set(campaigns)).toEqual(
      new Set([undefined, "weekly_news", "plant_of_the_week", "partner_review"]),
    );
  });

  test("show errors only during the outage, with few other events", () => {
    const errors = events.filter(({ event_type }) => event_type === "error_shown");
    expect(errors.length).toBeGreaterThan(5);
    expect(
      new Set(errors.map(({ occurred_at }) => Math.floor((occurred_at - calendar.start) / DAY))),
    ).toEqual(new Set([66]));
    expect(onDays(66 + 13 / 24, 66 + 20 / 24)).toBeLessThan(0.4 * onDays(65 + 13 / 24, 65 + 20 / 24));
  });

  test("show use of filters only after their release", () => {
    const used = events.filter(({ event_type }) => event_type === "filter_used");
    expect(used.length).toBeGreaterThan(100);
    expect(used.every(({ occurred_at }) => occurred_at >= calendar.release)).toBe(true);
  });

  test("show less than a tenth of the evening traffic at four in the morning in Germany", () => {
    const inGermany = (hour: number): number =>
      count(
        ({ properties, occurred_at }) =>
          properties?.includes('"country":"DE"') === true && new Date(occurred_at).getUTCHours() === hour - 1,
      );
    expect(inGermany(4)).toBeLessThan(0.1 * inGermany(20));
  });

  test("show at least a third of the events from a tenth of the users", () => {
    const activity = new Map<string, number>();
    for (const { user_id } of events) {
      if (user_id !== null) activity.set(user_id, (activity.get(user_id) ?? 0) + 1);
    }
    const counts = [...activity.values()].sort((a, b) => b - a);
    const most = counts.slice(0, counts.length / 10).reduce((sum, one) => sum + one, 0);
    expect(most).toBeGreaterThan(events.length / 3);
  });
});
