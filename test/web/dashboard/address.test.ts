import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatAddress, linkOf, parseAddress, withChanges } from "../../../web/dashboard/address.ts";

describe("a link within the dashboard", () => {
  test("is read back as it was written, with any content", () => {
    const part = fc.string({ minLength: 1, unit: "grapheme" });
    fc.assert(
      fc.property(fc.array(part), fc.array(fc.tuple(part, part)), (path, entries) => {
        const query = new URLSearchParams(entries);
        const read = parseAddress(formatAddress({ path, query }));
        expect([read.path, [...read.query]]).toEqual([path, [...query]]);
      }),
    );
  });

  test.each([
    ["", [], ""],
    ["#/", [], ""],
    ["#/trend", ["trend"], ""],
    ["#/experiments/12?metric=signup", ["experiments", "12"], "metric=signup"],
    ["#/events?user_id=%3F", ["events"], "user_id=%3F"],
    ["#/%E0%A4%A", ["%E0%A4%A"], ""],
  ])("%j is %j with %j", (hash, path, query) => {
    const read = parseAddress(hash);
    expect([read.path, read.query.toString()]).toEqual([path, query]);
  });
});

test("a change replaces all values of its name, keeps the others, and does not modify the original", () => {
  const before = new URLSearchParams("event_type=a&event_type=b&days=7");
  expect(withChanges(before, { event_type: ["c", "d"], measure: "users" }).toString()).toBe(
    "days=7&event_type=c&event_type=d&measure=users",
  );
  expect(before.toString()).toBe("event_type=a&event_type=b&days=7");
});

test("empty and undefined values are left out of a link", () => {
  expect(linkOf(["events"], { user_id: "", session_id: undefined, event_type: [] })).toBe("#/events");
});
