import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { keptId } from "../../../web/client/session.ts";
import { createStore } from "../../../web/client/store.ts";
import { uuid } from "../../../web/client/uuid.ts";
import { memoryStore } from "./network.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const MINUTE = 60_000;

test("a session lasts while something happens in it every half hour", () => {
  const store = memoryStore();
  const first = keptId(store, "session");
  for (let time = 0; time < 10; time++) {
    vi.advanceTimersByTime(29 * MINUTE);
    expect(keptId(store, "session")).toBe(first);
  }
  vi.advanceTimersByTime(30 * MINUTE);
  expect(keptId(store, "session")).not.toBe(first);
});

test.each(["", "5", "null", "{}", "[]", '"text"'])(
  "a new session begins where the stored one is %j",
  (text) => {
    const store = createStore(() => ({ "analytics.session": text }));
    expect(keptId(store, "session")).toMatch(/^[0-9a-f-]{36}$/);
  },
);

test("a session continues when the clock is set back", () => {
  const store = memoryStore();
  const first = keptId(store, "session");
  vi.setSystemTime(Date.now() - 24 * 60 * MINUTE);
  expect(keptId(store, "session")).toBe(first);
  vi.advanceTimersByTime(30 * MINUTE);
  expect(keptId(store, "session")).not.toBe(first);
});

test("a browser keeps its anonymous id", () => {
  const store = memoryStore();
  const id = keptId(store, "user");
  vi.advanceTimersByTime(365 * 24 * 60 * MINUTE);
  expect(keptId(store, "user")).toBe(id);
  expect(keptId(memoryStore(), "user")).not.toBe(id);
});

test("ids are distinct UUIDs of version 7 that sort by their time", () => {
  const times = Array.from({ length: 1_000 }, (_, n) => n * 1_000_000_000);
  const ids = times.map((time) => uuid(time));
  const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
  expect(ids.filter((id) => !UUID.test(id))).toEqual([]);
  expect([...ids].sort()).toEqual(ids);
  expect(ids.map((id) => Number.parseInt(id.replace("-", ""), 16))).toEqual(times);
  expect(new Set(Array.from({ length: 1_000 }, () => uuid())).size).toBe(1_000);
});
