import { expect, onTestFinished, test } from "vitest";
import { openSqlite } from "../../../adapters/sqlite/storage.ts";
import { computeFunnel } from "../../../handlers/reports/compute-funnel.ts";
import { exportEvents } from "../../../handlers/reports/export-events.ts";
import { getOverview } from "../../../handlers/reports/get-overview.ts";
import { getRetention } from "../../../handlers/reports/get-retention.ts";
import { getTrend } from "../../../handlers/reports/get-trend.ts";
import { listEventTypes } from "../../../handlers/reports/list-event-types.ts";
import { listEvents } from "../../../handlers/reports/list-events.ts";
import { call, openWorld } from "../../world.ts";

/** A world in which every report takes too long. */
function hurriedWorld() {
  const storage = openSqlite(":memory:", { reportMs: -1 });
  onTestFinished(() => storage.close());
  return openWorld({ storage });
}

const failureOf = (answer: Promise<unknown>): Promise<unknown> =>
  answer.then(
    () => undefined,
    (error) => error,
  );

const steps = [{ event_type: "view" }, { event_type: "buy" }];

test.each<[string, () => Promise<unknown>, string]>([
  [
    "a trend",
    () => call(getTrend, hurriedWorld()),
    "Ask for a shorter time, for fewer or rarer event types, or without where, breakdown, compare and verify.",
  ],
  [
    "a funnel",
    () => call(computeFunnel, hurriedWorld(), { body: { steps } }),
    "Ask for a shorter time, for rarer event types, or without where, breakdown and verify.",
  ],
  [
    "a retention",
    () => call(getRetention, hurriedWorld()),
    "Ask for a shorter time, for rarer event types, or without verify.",
  ],
  [
    "a list of events",
    () => call(listEvents, hurriedWorld()),
    "Ask for a shorter time, for rarer event types, or without where and session_id.",
  ],
  ["an overview", () => call(getOverview, hurriedWorld()), "Ask for a shorter time."],
  [
    "the types of events with verify",
    () => call(listEventTypes, hurriedWorld(), { query: { verify: "1" } }),
    "Ask without verify.",
  ],
  [
    "the types of events",
    () => call(listEventTypes, hurriedWorld()),
    "Ask again later, or have ANALYTICS_REPORT_SECONDS raised.",
  ],
  [
    "an export",
    () => call(exportEvents, hurriedWorld(), { query: { format: "csv" } }),
    "Ask again later, or have ANALYTICS_REPORT_SECONDS raised.",
  ],
])("where %s takes too long, the error says what to ask instead", async (_name, ask, instead) => {
  expect(await failureOf(ask())).toMatchObject({
    code: "unavailable",
    message: `This took longer than the -0.001 s that a report may take. ${instead}`,
  });
});

test.each<[string, object | undefined, () => Promise<unknown>]>([
  ["a trend", getTrend.query?.shape, () => call(getTrend, hurriedWorld())],
  ["a retention", getRetention.query?.shape, () => call(getRetention, hurriedWorld())],
  ["a list of events", listEvents.query?.shape, () => call(listEvents, hurriedWorld())],
])("the error of %s names only parameters that the request has", async (_name, shape, ask) => {
  const [, named = ""] = /without (.*)\.$/.exec(String(await failureOf(ask()))) ?? [];
  expect(Object.keys(shape ?? {})).toEqual(expect.arrayContaining(named.split(/, | and /)));
});
