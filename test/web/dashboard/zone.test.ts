import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { instantOf, localTime } from "../../../web/dashboard/zone.ts";

const iso = (local: string, zone: string): string => new Date(instantOf(local, zone)).toISOString();

const ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"];
const Instant = fc.integer({ min: Date.UTC(1970, 0, 2), max: Date.UTC(2100, 0) });

describe("a time that is typed as clocks in a zone show it", () => {
  test("is the instant at which they show it", () => {
    expect(iso("2026-11-26T09:30", "UTC")).toBe("2026-11-26T09:30:00.000Z");
    expect(iso("2026-07-01T00:15", "Europe/Berlin")).toBe("2026-06-30T22:15:00.000Z");
    expect(iso("2026-01-01T00:15", "Asia/Kathmandu")).toBe("2025-12-31T18:30:00.000Z");
    expect(localTime(Date.parse("2026-11-26T23:05:59Z"), "Asia/Tokyo")).toBe("2026-11-27T08:05");
  });

  test("is within an hour of a time that they skip", () => {
    expect(iso("2026-03-29T02:30", "Europe/Berlin")).toBe("2026-03-29T01:30:00.000Z");
    expect(iso("2026-03-08T02:30", "America/New_York")).toBe("2026-03-08T06:30:00.000Z");
  });

  test("is shown again as it was typed", () => {
    fc.assert(
      fc.property(Instant, fc.constantFrom(...ZONES), (instant, zone) => {
        const typed = localTime(instant, zone);
        expect(localTime(instantOf(typed, zone), zone)).toBe(typed);
      }),
    );
  });
});
