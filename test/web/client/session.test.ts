import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { anonymousId, sessionId } from "../../../web/client/session.ts";
import { createStore } from "../../../web/client/store.ts";
import { uuid } from "../../../web/client/uuid.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const MINUTE = 60_000;

test("a session lasts as long as something happens in it every half hour", () => {
  const store = createStore();
  const first = sessionId(store);
  for (let time = 0; time < 10; time++) {
    vi.advanceTimersByTime(29 * MINUTE);
    expect(sessionId(store)).toBe(first);
  }
  vi.advanceTimersByTime(30 * MINUTE);
  expect(sessionId(store)).not.toBe(first);
});

test.each(["", "5", "null", "{}", "[]", '"text"'])(
  "a session begins where %j stands in its place",
  (text) => {
    const store = createStore(() => ({ getItem: () => text, setItem() {}, removeItem() {} }));
    expect(sessionId(store)).toMatch(/^[0-9a-f-]{36}$/);
  },
);

test("a session goes on where the clock is set back", () => {
  const store = createStore();
  const first = sessionId(store);
  vi.setSystemTime(Date.now() - 24 * 60 * MINUTE);
  expect(sessionId(store)).toBe(first);
  vi.advanceTimersByTime(30 * MINUTE);
  expect(sessionId(store)).not.toBe(first);
});

test("a browser keeps its anonymous id", () => {
  const store = createStore();
  const id = anonymousId(store);
  vi.advanceTimersByTime(365 * 24 * 60 * MINUTE);
  expect(anonymousId(store)).toBe(id);
  expect(anonymousId(createStore())).not.toBe(id);
});

test("ids are UUIDs of version 7 that differ, and sort as they were made, also within a millisecond", () => {
  // Later than in any other test: ids never go back in time.
  vi.setSystemTime(new Date("2100-01-01T00:00:00.000Z"));
  const ids = Array.from({ length: 1_000 }, () => uuid());
  expect(
    ids.filter((id) => !/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id)),
  ).toEqual([]);
  expect(new Set(ids).size).toBe(1_000);
  expect([...ids].sort()).toEqual(ids);
  vi.advanceTimersByTime(MINUTE);
  expect(Number.parseInt(uuid().replaceAll("-", "").slice(0, 12), 16)).toBe(Date.now());
});
