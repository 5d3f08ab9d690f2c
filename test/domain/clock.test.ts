import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { futureFault, occurrenceOf, senderClock, UNKNOWN_CLOCK } from "../../domain/clock.ts";
import { DAY, HOUR, MINUTE } from "../../domain/time.ts";

const NOW = Date.parse("2026-11-22T10:00:00.000Z");
const SECOND = 1_000;

describe("the shift", () => {
  test.each([
    ["of an unknown clock", undefined, 0],
    ["of an unreported clock", null, 0],
    ["of a correct clock", NOW, 0],
    ["of a clock 5 seconds ahead", NOW + 5 * SECOND, 0],
    ["of a clock 2 minutes ahead", NOW + 2 * MINUTE, 0],
    ["of a clock 7 minutes ahead", NOW + 7 * MINUTE, 5 * MINUTE],
    ["of a clock an hour ahead", NOW + HOUR, HOUR],
    ["of a clock in Indian time", NOW + 5.5 * HOUR, 5.5 * HOUR],
    ["of a clock a year ahead", NOW + 365 * DAY, 365 * DAY],
    ["of a slow clock or a delayed batch", NOW - 2 * HOUR, 0],
  ])("%s, with sent_at %s, is %d ms", (_name, sent_at, shift) => {
    expect(senderClock(sent_at, NOW).shift).toBe(shift);
  });

  test("does not depend on the delay of a batch", () => {
    const ahead = fc.integer({ min: 1, max: 20_000 }).map((steps) => steps * 5 * MINUTE);
    const transit = fc.integer({ min: 0, max: 2 * MINUTE });
    fc.assert(
      fc.property(ahead, transit, transit, (skew, first, second) => {
        expect(senderClock(NOW + skew - first, NOW).shift).toBe(senderClock(NOW + skew - second, NOW).shift);
      }),
    );
  });
});

describe("the order of a user's events", () => {
  test.each([5 * SECOND, 3 * HOUR, DAY + 4 * SECOND])(
    "is kept with a clock %d ms ahead and a request stalled for 6 seconds",
    (ahead) => {
      const stalled = senderClock(NOW + ahead, NOW + 6 * SECOND);
      const quick = senderClock(NOW + SECOND + ahead, NOW + SECOND);
      const first = occurrenceOf(NOW + ahead, NOW + 6 * SECOND, stalled).occurred_at;
      const second = occurrenceOf(NOW + SECOND + ahead, NOW + SECOND, quick).occurred_at;
      expect(second - first).toBe(SECOND);
    },
  );
});

describe("an occurrence", () => {
  const right = senderClock(NOW, NOW);

  test.each([
    ["no timestamp", undefined, { occurred_at: NOW, client_timestamp: null, latest_at: NOW }],
    ["the timestamp null", null, { occurred_at: NOW, client_timestamp: null, latest_at: NOW }],
    ["a past timestamp", NOW - DAY, { occurred_at: NOW - DAY, client_timestamp: null, latest_at: NOW - DAY }],
    [
      "a timestamp an hour ahead",
      NOW + HOUR,
      { occurred_at: NOW + HOUR, client_timestamp: null, latest_at: NOW + HOUR },
    ],
    [
      "a timestamp further ahead",
      NOW + HOUR + 1,
      { occurred_at: NOW, client_timestamp: NOW + HOUR + 1, latest_at: NOW },
    ],
  ])("with %s is stored at the expected time", (_name, timestamp, occurrence) => {
    expect(occurrenceOf(timestamp, NOW, UNKNOWN_CLOCK)).toEqual(occurrence);
    expect(occurrenceOf(timestamp, NOW, right)).toEqual(occurrence);
  });

  test("with a clock two days ahead is moved back, and keeps the client timestamp", () => {
    const timestamp = NOW + 2 * DAY - MINUTE;
    expect(occurrenceOf(timestamp, NOW, senderClock(NOW + 2 * DAY, NOW))).toEqual({
      occurred_at: NOW - MINUTE,
      client_timestamp: timestamp,
      latest_at: NOW - MINUTE,
    });
  });

  test("queued under a fast clock that was corrected before sending is stored at its arrival time", () => {
    expect(occurrenceOf(NOW + 30 * DAY, NOW, right)).toMatchObject({ occurred_at: NOW });
  });

  test("with a slow clock keeps its time, and may have happened later", () => {
    const behind = senderClock(NOW - 10 * MINUTE, NOW);
    expect(occurrenceOf(NOW - 12 * MINUTE, NOW, behind)).toEqual({
      occurred_at: NOW - 12 * MINUTE,
      client_timestamp: null,
      latest_at: NOW - 2 * MINUTE,
    });
  });

  test("is at most an hour ahead, and no later than its latest instant", () => {
    const time = fc.integer({ min: -62_167_219_200_000, max: 253_402_300_799_999 });
    fc.assert(
      fc.property(time, fc.option(time), (timestamp, sent_at) => {
        const { occurred_at, latest_at, client_timestamp } = occurrenceOf(
          timestamp,
          NOW,
          senderClock(sent_at, NOW),
        );
        expect(occurred_at).toBeLessThanOrEqual(NOW + HOUR);
        expect(occurred_at).toBeGreaterThanOrEqual(-62_167_219_200_000);
        expect(latest_at).toBeGreaterThanOrEqual(occurred_at);
        expect(client_timestamp ?? occurred_at).toBe(timestamp);
      }),
    );
  });
});

test("a time limited to the past may be up to an hour ahead", () => {
  expect(futureFault(NOW + HOUR, NOW)).toBeUndefined();
  expect(futureFault(NOW + HOUR + 1, NOW)).toBe(
    "must not be more than one hour ahead of the server's clock, which shows 2026-11-22T10:00:00.000Z",
  );
});
