import { once } from "node:events";
import type { Socket } from "node:net";
import fc from "fast-check";
import { expect, onTestFinished, test, vi } from "vitest";
import type { Edge } from "../../../../adapters/http/edge.ts";
import { eventually, openConnection, parseAnswers, type RawConnection } from "../../../end-to-end/client.ts";
import { cases } from "../../../random.ts";
import { openEdge, withColours } from "../../../world.ts";
import { serve, start } from "./serve.ts";

const GET = "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";

/** Returns a function that advances performance.now(). */
function fakeTime(): (milliseconds: number) => void {
  const real = performance.now.bind(performance);
  let ahead = 0;
  const now = vi.spyOn(performance, "now").mockImplementation(() => real() + ahead);
  onTestFinished(() => now.mockRestore());
  return (milliseconds) => {
    ahead += milliseconds;
  };
}

/** A client that has begun to read its answer, and then stops reading. */
async function stuckReader(url: string): Promise<RawConnection> {
  const client = await openConnection(url);
  client.send(GET);
  await once(client.socket, "data");
  client.socket.pause();
  return client;
}

const answersWith =
  (bytes: number): Edge =>
  (_request, respond) =>
    respond({ status: 200, headers: {}, body: "x".repeat(bytes) });

test("a client that does not read its answer in time is disconnected", async () => {
  const pass = fakeTime();
  const { url, server } = await start(answersWith(20_000_000));
  const connected = once(server, "connection");
  await stuckReader(url);
  const [socket] = (await connected) as [Socket];
  expect(socket.destroyed).toBe(false);
  pass(30_000 + 400_000);
  await vi.waitFor(() => expect(socket.destroyed).toBe(true), { timeout: 10_000 });
});

test("a slow client gets its whole answer", async () => {
  const pass = fakeTime();
  const client = await stuckReader(await serve(answersWith(20_000_000)));
  pass(100_000);
  client.socket.resume();
  client.send("GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
  const lengths = parseAnswers(await client.rest()).map(({ body }) => body.length);
  expect(lengths).toEqual([20_000_000, 20_000_000]);
});

test("unread answers share a memory limit: the largest and slowest client is disconnected", async () => {
  const url = await serve(answersWith(30_000_000));
  const clients = [await stuckReader(url), await stuckReader(url), await stuckReader(url)];
  const [first, ...others] = clients;
  first?.socket.resume();
  expect((await first?.rest())?.length).toBeLessThan(30_000_000);
  for (const { socket } of others) {
    expect(socket.readyState).toBe("open");
    socket.destroy();
  }
});

/** An infinite stream, and whether it was closed. */
function endless() {
  const state = { pieces: 0, isEnded: false };
  async function* pieces(): AsyncGenerator<string> {
    try {
      for (;;) {
        state.pieces += 1;
        yield "x".repeat(1_000_000);
      }
    } finally {
      state.isEnded = true;
    }
  }
  const edge: Edge = (_request, respond) => respond({ status: 200, headers: {}, body: pieces() });
  return { state, edge };
}

test("a stream waits for its client, and is closed when the client stops reading", async () => {
  const pass = fakeTime();
  const { state, edge } = endless();
  await stuckReader(await serve(edge));
  await eventually(async () => {
    const { pieces } = state;
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(state.pieces).toBe(pieces);
  });
  expect(state.pieces).toBeLessThan(50);
  pass(60_000);
  await vi.waitFor(() => expect(state.isEnded).toBe(true), { timeout: 10_000 });
});

test("a stream is closed when its client disconnects", async () => {
  const { state, edge } = endless();
  const client = await stuckReader(await serve(edge));
  client.socket.destroy();
  await vi.waitFor(() => expect(state.isEnded).toBe(true), { timeout: 10_000 });
});

test("pipelined requests are served one at a time and answered in order", async () => {
  let inWork = 0;
  let max = 0;
  const url = await serve((request, respond) => {
    inWork += 1;
    max = Math.max(max, inWork);
    setImmediate(() => {
      inWork -= 1;
      respond({ status: 200, headers: {}, body: request.path });
    });
  });
  const client = await openConnection(url);
  const paths = Array.from({ length: 100 }, (_, n) => `/${n}`);
  const last = "GET /last HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
  client.send(paths.map((path) => `GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`).join("") + last);
  expect(parseAnswers(await client.rest()).map(({ body }) => body)).toEqual([...paths, "/last"]);
  expect(max).toBe(1);
});

test.each([
  ["more than a hundred waiting requests", "/unanswered", 102],
  ["more than 64 KiB of waiting requests", `/${"x".repeat(15_000)}`, 6],
])("a connection with %s is closed, and no other", async (_name, path, requests) => {
  const url = await serve((request, respond) => {
    if (request.path === "/") answersWith(10)(request, respond);
  });
  const other = await openConnection(url);
  const flood = await openConnection(url);
  flood.send(GET.replace("/", path).repeat(requests));
  await flood.rest();
  other.send(GET);
  expect(await other.until(/x{10}$/)).toMatch(/^HTTP\/1\.1 200 /);
});

test("an answer with an invalid header closes only its own connection", async () => {
  const url = await serve((request, respond) =>
    respond({ status: 200, headers: { name: request.path === "/" ? "\u{1F600}" : "fine" }, body: "x" }),
  );
  const client = await openConnection(url);
  client.send(GET);
  expect(await client.rest()).toBe("");
  const next = await openConnection(url);
  next.send("GET /fine HTTP/1.1\r\nhost: localhost\r\n\r\n");
  expect(await next.until(/name: fine/)).toMatch(/^HTTP\/1\.1 200 /);
});

const noise = fc.string({ unit: "binary", maxLength: 20 });
const line = (values: string[]) => fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...values) }, noise);

const anyRequest = fc
  .record({
    method: line(["GET", "POST", "PUT", "HEAD", "OPTIONS", "DELETE", "PATCH", "CONNECT", "get"]),
    target: line([
      "/health",
      "/apiv1/events",
      "/apiv1/events/batch",
      "/apiv1/ab-tests/1/assign",
      "/apiv1/ab-tests/%E0%A4%A/results",
      "/apiv1/events?limit=%zz&where[a]=1",
      "/apiv1/events/export",
      "http://localhost/health",
      "*",
      "//",
    ]),
    version: line(["HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "HTTP/9"]),
    headers: fc.array(
      line([
        "host: localhost",
        "content-type: application/json",
        "content-type: application/x-ndjson",
        "content-encoding: gzip",
        "content-encoding: br",
        "transfer-encoding: chunked",
        "expect: 100-continue",
        "expect: nothing",
        "upgrade: websocket",
        "connection: upgrade",
        "content-length: 5",
        "content-length: -1",
        "x-request-id: \u0001",
        "origin: null",
      ]),
      { maxLength: 5 },
    ),
    length: fc.boolean(),
    body: line([
      "",
      "{}",
      '{"event_type":"a"}',
      '[{"event_type":"a"},7]',
      "{\n{\n",
      "5\r\nhello\r\n0\r\n\r\n",
      "zz\r\n",
    ]),
  })
  .map(({ method, target, version, headers, length, body }) => {
    const all = length ? [...headers, `content-length: ${Buffer.byteLength(body)}`] : headers;
    return `${method} ${target} ${version}\r\n${["host: localhost", ...all].join("\r\n")}\r\n\r\n${body}`;
  });

test("no sequence of bytes stops the server or its answers", {
  timeout: cases(120_000),
}, async () => {
  const { edge, world } = openEdge();
  await withColours(world);
  const url = await serve(edge);
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyRequest, { minLength: 5, maxLength: 15 }),
      fc.boolean(),
      async (requests, cut) => {
        const client = await openConnection(url);
        const text = requests.join("");
        client.send(cut ? text.slice(0, Math.floor(text.length / 2)) : text);
        if (cut) client.socket.destroy();
        else client.socket.end();
        await client.rest();
      },
    ),
    { numRuns: cases(1_000) },
  );
  const last = await openConnection(url);
  last.send("GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
  expect(await last.rest()).toMatch(/^HTTP\/1\.1 200 [\s\S]*"status":"ok"/);
});
