import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import parse, { type ParsedFamily } from "parse-prometheus-text-format";
import { expect, onTestFinished, test } from "vitest";
import { openSqlite, type SqliteOptions } from "../../../adapters/sqlite/storage.ts";
import { Failure } from "../../../domain/failure.ts";
import { eventAt } from "../../adapters/question-stories/asked.ts";
import { openEdge, openWorld, type TestEdge } from "../../world.ts";

const READ = "read-key-0123456789";
const WRITE = "write-key-0123456789";
const KEYED = { keys: { read: [READ], write: [WRITE], admin: [] } };

/** The families that a Prometheus library reads from the answer, by name. */
async function scrape({ send }: TestEdge, headers: Record<string, string> = {}) {
  const { status, headers: answered, body } = await send({ path: "/metrics", headers });
  expect(status).toBe(200);
  expect(answered["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
  return familiesOf(String(body));
}

/** Also the samples of histograms one by one: the library merges those that differ in labels alone. */
function familiesOf(text: string): ReadonlyMap<string, ParsedFamily> {
  const untyped = text.replaceAll(/^# (?:TYPE|HELP) .*_seconds (?:histogram|Time from).*\n/gm, "");
  const families = new Map<string, ParsedFamily>();
  for (const family of parse(untyped)) {
    const metrics = [...(families.get(family.name)?.metrics ?? []), ...family.metrics];
    families.set(family.name, { ...family, metrics });
  }
  return new Map([...families, ...parse(text).map((family) => [family.name, family] as const)]);
}
type Scraped = ReadonlyMap<string, ParsedFamily>;

const samplesOf = (scraped: Scraped, name: string) => scraped.get(name)?.metrics ?? [];
const figureOf = (scraped: Scraped, name: string): number => Number(samplesOf(scraped, name)[0]?.value);

const tracked = (message_id: string) => ({ event_type: "click", message_id });

test("a Prometheus library reads a known load back: requests, events, duplicates and refusals", async () => {
  const edge = openEdge();
  const post = (path: string, body: unknown) => edge.send({ method: "POST", path, body });
  await post("/apiv1/events", tracked("a"));
  await post("/apiv1/events", tracked("a"));
  await post("/apiv1/events", { typo: 1 });
  await post("/apiv1/events/batch", [tracked("a"), tracked("b"), tracked("c"), { event_type: 7 }]);
  await edge.send({ path: "/nowhere" });
  await edge.send({ method: "OPTIONS", path: "/apiv1/events" });
  const scraped = await scrape(edge);

  const requests = samplesOf(scraped, "analytics_requests_total");
  expect(requests.map(({ labels, value }) => [labels?.endpoint, labels?.status, value])).toEqual([
    ["trackEvent", "201", "1"],
    ["trackEvent", "200", "1"],
    ["trackEvent", "400", "1"],
    ["trackEvents", "207", "1"],
    ["none", "404", "1"],
    ["options", "204", "1"],
  ]);
  expect(scraped.get("analytics_request_duration_seconds")?.type).toBe("HISTOGRAM");
  const durations = samplesOf(scraped, "analytics_request_duration_seconds_count");
  expect(durations.map(({ labels, value }) => [labels?.endpoint, value])).toEqual([
    ["trackEvent", "3"],
    ["trackEvents", "1"],
    ["none", "1"],
    ["options", "1"],
  ]);
  expect(figureOf(scraped, "analytics_events_stored_total")).toBe(3);
  expect(figureOf(scraped, "analytics_events_duplicate_total")).toBe(2);
  const refusals = samplesOf(scraped, "analytics_refusals_total");
  expect(refusals).toEqual([
    { labels: { endpoint: "trackEvent", what: "request", code: "invalid" }, value: "1" },
    { labels: { endpoint: "trackEvents", what: "item", code: "invalid" }, value: "1" },
    { labels: { endpoint: "none", what: "request", code: "not_found" }, value: "1" },
  ]);
});

test("each bucket of a duration counts the requests that took no longer than its bound", async () => {
  const edge = openEdge();
  const { requests } = edge.world.activity;
  for (const ms of [0.4, 1, 1.1, 40, 20_000]) requests.note("trackEvent", 201, ms);
  const scraped = await scrape(edge);
  expect(figureOf(scraped, "analytics_request_duration_seconds_count")).toBe(5);
  expect(figureOf(scraped, "analytics_request_duration_seconds_sum")).toBeCloseTo(20.0425, 9);
  const [duration] = samplesOf(scraped, "analytics_request_duration_seconds");
  expect(duration?.buckets).toEqual({
    "0.001": "2",
    "0.0025": "3",
    "0.005": "3",
    "0.01": "3",
    "0.025": "3",
    "0.05": "4",
    "0.1": "4",
    "0.25": "4",
    "0.5": "4",
    "1": "4",
    "2.5": "4",
    "5": "4",
    "15": "4",
    "+Inf": "5",
  });
});

test("every family has a type and a help, and figures of the process are its own", async () => {
  const scraped = await scrape(openEdge());
  for (const { help, type } of scraped.values()) {
    expect(help).not.toBe("");
    expect(["COUNTER", "GAUGE", "HISTOGRAM"]).toContain(type);
  }
  expect(samplesOf(scraped, "analytics_info")).toEqual([{ labels: { version: "1.2.3" }, value: "1" }]);
  expect(figureOf(scraped, "process_cpu_seconds_total")).toBe(12.5);
  expect(figureOf(scraped, "process_resident_memory_bytes")).toBe(70_000_000);
  expect(figureOf(scraped, "nodejs_heap_size_used_bytes")).toBe(20_000_000);
  expect(figureOf(scraped, "process_start_time_seconds")).toBe(Date.parse("2026-11-22T10:00:00Z") / 1000);
  expect(figureOf(scraped, "nodejs_eventloop_active_seconds_total")).toBe(3.25);
});

test("events that are not in the rollups are counted, with the age of the oldest, until a report is asked", async () => {
  // Builds nothing by itself, so that the figures before the report are known.
  const storage = openSqlite(":memory:", { buildAt: Number.POSITIVE_INFINITY });
  onTestFinished(() => storage.close());
  const edge = openEdge({}, { storage });
  for (const id of ["a", "b", "c"])
    await edge.send({ method: "POST", path: "/apiv1/events", body: tracked(id) });
  edge.world.advance(90_000);
  const before = await scrape(edge);
  expect(figureOf(before, "analytics_rollup_events_waiting")).toBe(3);
  expect(figureOf(before, "analytics_rollup_lag_seconds")).toBe(90);
  await edge.send({ path: "/apiv1/events/types" });
  const after = await scrape(edge);
  expect(figureOf(after, "analytics_rollup_events_waiting")).toBe(0);
  expect(figureOf(after, "analytics_rollup_lag_seconds")).toBe(0);
});

test("the database has a size, and nothing waits where nothing was sent", async () => {
  const scraped = await scrape(openEdge());
  expect(figureOf(scraped, "analytics_storage_up")).toBe(1);
  expect(figureOf(scraped, "analytics_database_bytes")).toBeGreaterThan(10_000);
  expect(figureOf(scraped, "analytics_rows_waiting")).toBe(0);
});

test("rows that wait for their commit are counted until it", async () => {
  const storage = openSqlite(":memory:");
  onTestFinished(() => storage.close());
  const storing = storage.appendEvents([eventAt(0, "click"), eventAt(1, "click"), eventAt(2, "click")]);
  // As they are in this turn of the event loop: the commit comes in a later one.
  const waiting = storage.figures();
  const during = await scrape(openEdge({}, { storage: { ...storage, figures: () => waiting } }));
  expect(figureOf(during, "analytics_rows_waiting")).toBe(3);
  await storing;
  expect(figureOf(await scrape(openEdge({}, { storage })), "analytics_rows_waiting")).toBe(0);
});

test("the sizes of a file and of its log are those on the disk", async () => {
  const folder = mkdtempSync(join(tmpdir(), "analytics-metrics-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "analytics.db");
  const before = openSqlite(file);
  await before.appendEvents(Array.from({ length: 500 }, (_, n) => eventAt(n, "click")));
  await before.close();
  const size = statSync(file).size;
  const storage = openSqlite(file);
  onTestFinished(() => storage.close());
  const edge = openEdge({}, { storage });
  expect(figureOf(await scrape(edge), "analytics_database_bytes")).toBe(size);
  await storage.appendEvents([eventAt(0, "click")]);
  const log = statSync(`${file}-wal`).size;
  expect(log).toBeGreaterThan(0);
  expect(figureOf(await scrape(edge), "analytics_log_bytes")).toBe(log);
});

test("every family is described in docs/operations.md", async () => {
  const storage = openSqlite(":memory:", { keeping: { days: 1, byType: {} } });
  onTestFinished(() => storage.close());
  const edge = openEdge({}, { storage });
  await edge.send({ path: "/nowhere" });
  const described = readFileSync(new URL("../../../docs/operations.md", import.meta.url), "utf8");
  const names = parse(String((await edge.send({ path: "/metrics" })).body)).map(({ name }) => name);
  expect(names).toContain("analytics_expired_events_total");
  const isDescribed = (name: string): boolean =>
    described.includes(`\`${name}`) || /^(process|nodejs)_/.test(name);
  expect(names.filter((name) => !isDescribed(name))).toEqual([]);
});

test("erased users and removed old events are counted, with the time of the last ones", async () => {
  const DAY = 86_400_000;
  const now = Date.parse("2026-11-22T10:00:00Z");
  const keeping = { days: 30, byType: {} };
  const open = (options: SqliteOptions) => {
    const storage = openSqlite(file, { now: () => now, ...options });
    onTestFinished(() => storage.close());
    return { storage, edge: openEdge({}, { storage }) };
  };
  const folder = mkdtempSync(join(tmpdir(), "analytics-metrics-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "analytics.db");
  const { storage, edge } = open({});
  const eventOf = (user_id: string, days: number) => ({
    ...eventAt(0, "click", { user_id }),
    occurred_at: now - days * DAY,
  });
  await storage.appendEvents(["ann", "ann", "bob", "cyd"].map((user) => eventOf(user, 1)));
  await storage.appendEvents(["bob", "cyd", "dan"].map((user) => eventOf(user, 40)));
  const none = await scrape(edge);
  expect(figureOf(none, "analytics_erasures_total")).toBe(0);
  expect(none.has("analytics_expired_events_total")).toBe(false);
  expect(none.has("analytics_erasure_last_timestamp_seconds")).toBe(false);
  for (const user of ["ann", "cyd", "nobody"])
    await edge.send({ method: "DELETE", path: `/apiv1/users/${user}` });
  const erased = await scrape(edge);
  expect(figureOf(erased, "analytics_erasures_total")).toBe(2);
  expect(figureOf(erased, "analytics_erased_events_total")).toBe(4);
  expect(figureOf(erased, "analytics_erasures_waiting")).toBe(0);
  expect(figureOf(erased, "analytics_erasure_last_timestamp_seconds")).toBe(now / 1000);

  const { edge: expiring } = open({ keeping });
  await expect.poll(async () => figureOf(await scrape(expiring), "analytics_expiry_pending")).toBe(0);
  const expired = await scrape(expiring);
  expect(figureOf(expired, "analytics_expired_events_total")).toBe(2);
  expect(figureOf(expired, "analytics_expiry_last_run_timestamp_seconds")).toBe(now / 1000);
  expect(figureOf(expired, "analytics_erasures_total")).toBe(0);
  expect((await expiring.send({ path: "/health" })).body).toMatchObject({
    expiry: { removed: 2, pending: false, last_run: "2026-11-22T10:00:00.000Z" },
  });
});

test("users who are being erased are counted, and the health check names them", async () => {
  const { storage } = openWorld();
  const check = async () => ({ ...(await storage.check()), erasuresWaiting: 2 });
  const figures = async () => {
    const stored = await storage.figures();
    return { ...stored, erasures: { ...stored.erasures, waiting: 2 } };
  };
  const edge = openEdge({}, { storage: { ...storage, check, figures } });
  expect(figureOf(await scrape(edge), "analytics_erasures_waiting")).toBe(2);
  expect((await edge.send({ path: "/health" })).body).toMatchObject({
    status: "ok",
    erasures: { waiting: 2 },
  });
});

test("a storage that cannot be read leaves the other figures, and says so", async () => {
  const { storage } = openWorld();
  const figures = () => Promise.reject(new Failure("unavailable", "The disk is gone."));
  const scraped = await scrape(openEdge({}, { storage: { ...storage, figures } }));
  expect(figureOf(scraped, "analytics_storage_up")).toBe(0);
  expect(scraped.has("analytics_database_bytes")).toBe(false);
  expect(figureOf(scraped, "process_cpu_seconds_total")).toBe(12.5);
});

test("the figures are for read keys", async () => {
  const edge = openEdge(KEYED);
  expect((await edge.send({ path: "/metrics" })).status).toBe(401);
  const withKey = (key: string) =>
    edge.send({ path: "/metrics", headers: { authorization: `Bearer ${key}` } });
  expect((await withKey(WRITE)).status).toBe(403);
  expect((await withKey(READ)).status).toBe(200);
});

test("names from outside make no series of their own: unknown paths share one", async () => {
  const edge = openEdge();
  for (const path of ["/a", "/b", "/c"]) await edge.send({ path });
  const requests = samplesOf(await scrape(edge), "analytics_requests_total");
  expect(requests).toEqual([{ labels: { endpoint: "none", status: "404" }, value: "3" }]);
});
