import { expect, test } from "vitest";
import { ownProperties, sessionsOf } from "../../../web/dashboard/people/sessions.ts";

let id = 0;
const event = (session_id: string | null, event_type: string, properties: Record<string, string> | null) => ({
  id: ++id,
  event_type,
  user_id: "ann",
  session_id,
  properties,
  timestamp: "2026-11-22T10:00:00.000Z",
  client_timestamp: null,
  created_at: "2026-11-22T10:00:00.000Z",
});

test("consecutive events of a session are a group, in the order in which they happened", () => {
  const newestFirst = [
    event("b", "buy", { page: "/cart", plan: "pro" }),
    event("b", "view", { page: "/home", plan: "pro" }),
    event(null, "mail", null),
    event("a", "view", { page: "/" }),
  ];
  const sessions = sessionsOf(newestFirst);
  expect(sessions.map(({ id, events }) => [id, events.map(({ event_type }) => event_type)])).toEqual([
    ["b", ["view", "buy"]],
    [null, ["mail"]],
    ["a", ["view"]],
  ]);
});

test("properties that all events of a session have are told once", () => {
  const [session] = sessionsOf([
    event("a", "buy", { page: "/cart", plan: "pro" }),
    event("a", "view", { page: "/home", plan: "pro" }),
  ]);
  expect(session?.shared).toEqual({ plan: "pro" });
  expect(session?.events.map((one) => session && ownProperties(one, session))).toEqual([
    [["page", "/home"]],
    [["page", "/cart"]],
  ]);
});

test.each([
  ["one of the events has none", null],
  ["another has another value", { plan: "free" }],
])("no property is shared where %s", (_, properties) => {
  const [session] = sessionsOf([event("a", "buy", properties), event("a", "view", { plan: "pro" })]);
  expect(session?.shared).toEqual({});
});
