import { expect, onTestFinished, test } from "vitest";
import { openSqlite } from "../../adapters/sqlite/storage.ts";
import { ask, eventually, openConnection } from "./client.ts";
import { databaseIn, offlineServer, type Starter, testFolder, testServer } from "./servers.ts";

const EVENTS = 50_000;
const AT_ONCE = 2_000;

/** A folder with a database of `count` events, one per minute. */
async function filledFolder(events: number): Promise<string> {
  const folder = await testFolder(onTestFinished);
  const storage = openSqlite(databaseIn(folder));
  for (let from = 0; from < events; from += AT_ONCE) {
    const batch = Array.from({ length: Math.min(AT_ONCE, events - from) }, (_, index) => ({
      event_type: "click",
      user_id: `user-${(from + index) % 1_000}`,
      session_id: `session-${from + index}`,
      properties: '{"plan":"pro","page":"home"}',
      created_at: 0,
      occurred_at: (from + index) * 60_000,
      message_key: null,
    }));
    await storage.appendEvents(batch);
  }
  await storage.close();
  return folder;
}

async function filledServer(events: number, starter?: Starter) {
  const folder = await filledFolder(events);
  return testServer(onTestFinished, folder, { ANALYTICS_LOG_LEVEL: "info" }, starter);
}

const idsOf = (lines: string): number[] =>
  lines
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line).id);

const newestFirst = (count: number): number[] => Array.from({ length: count }, (_, index) => count - index);

test("an export streams each stored event once, in order", async () => {
  const { url } = await filledServer(5_001);
  const { status, headers, body } = await ask(url, { path: "/apiv1/events/export" });
  expect([status, headers["content-type"]]).toEqual([200, "application/x-ndjson; charset=utf-8"]);
  expect(headers["transfer-encoding"]).toBe("chunked");
  expect(headers["x-next-cursor"]).toBeUndefined();
  expect(idsOf(body)).toEqual(newestFirst(5_001));
});

test("an export is paginated if the size of answers is limited", async () => {
  const { url } = await filledServer(EVENTS, offlineServer);
  const ids: number[] = [];
  let pages = 0;
  for (let cursor: string | undefined = ""; cursor !== undefined; pages++) {
    const query = cursor === "" ? "" : `?cursor=${cursor}`;
    const { status, headers, body } = await ask(url, { path: `/apiv1/events/export${query}` });
    expect(status).toBe(200);
    ids.push(...idsOf(body));
    cursor = headers["x-next-cursor"];
  }
  expect(pages).toBe(3);
  expect(ids).toEqual(newestFirst(EVENTS));
});

test("a report is aborted when its caller disconnects, and the next one is answered", async () => {
  const server = await filledServer(EVENTS);
  let said = "";
  server.process.stdout?.on("data", (chunk: Buffer) => {
    said += chunk;
  });
  const range = `from=1970-01-01&to=1970-03-01`;
  // No rollup answers this question: it reads every event.
  const path = `/apiv1/events/trend?measure=sessions&where[plan]=pro&where[page]=home&${range}`;
  const { socket } = await openConnection(server.url);
  await new Promise((sent) => socket.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`, sent));
  socket.destroy();
  await eventually(async () =>
    expect(said).toMatch(/"level":"INFO","message":"getTrend".*"code":"unavailable"/),
  );
  const { status, body } = await ask(server.url, { path: `/apiv1/events/trend?${range}` });
  expect([status, JSON.parse(body).series[0].total]).toEqual([200, EVENTS]);
});
