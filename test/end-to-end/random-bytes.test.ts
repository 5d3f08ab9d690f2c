import { connect, type Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { endpoints } from "../../handlers/contract/endpoints.ts";
import { cases } from "../random.ts";
import { ask, track } from "./client.ts";
import { endingOf, plainServer, type TestServer, testFolder } from "./servers.ts";

// Sends bytes that no HTTP client would send to a real server in a process of its own. Whatever arrives, the process goes
// on, answers others, and has no internal error.

const RUNS = 400;
const CONNECTIONS_A_RUN = 25;
const PATIENCE_MS = cases(300_000);

const oftenOf = (usual: readonly string[], rare: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...usual) }, rare);

const noise = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.constantFrom(
    "%",
    "%zz",
    "%E0%A4%A",
    "%00",
    "%2f..%2f",
    "..",
    "//",
    "?",
    "#",
    "\u0000",
    "\r",
    "\n",
    "\t",
    " ",
  ),
  fc.integer({ min: 1, max: 20_000 }).map((length) => "x".repeat(length)),
);

const method = oftenOf(
  ["GET", "POST"],
  fc.oneof(
    fc.constantFrom("HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "PRI", "get", ""),
    noise,
  ),
);

const path = fc.constantFrom(...endpoints).map((one) => one.path.replaceAll(/\{\w+\}/g, "1"));
const target = fc.oneof(
  { weight: 5, arbitrary: path },
  fc.tuple(path, noise).map(([known, text]) => `${known}?${text}`),
  fc.tuple(path, noise).map(([known, text]) => `${known}/${text}`),
  fc.tuple(path, noise).map(([known, text]) => `http://localhost${known}${text}`),
  fc.constantFrom(
    "*",
    "localhost:80",
    "http://",
    "//localhost/health",
    "/health#x",
    "/?where[a]=1&where[a]=2",
  ),
  noise.map((text) => `/${text}`),
  noise,
);

const version = oftenOf(
  ["HTTP/1.1"],
  fc.oneof(fc.constantFrom("HTTP/1.0", "HTTP/2.0", "HTTP/9", "http/1.1", ""), noise),
);

const header = (name: string, ...values: string[]): fc.Arbitrary<string> =>
  oftenOf(values, noise).map((value) => `${name}: ${value}`);

const anyHeader = fc.oneof(
  header(
    "content-type",
    "application/json",
    "application/x-ndjson",
    "text/plain",
    ";;;",
    "a/b; charset=utf-16",
  ),
  header("content-encoding", "gzip", "br", "x-gzip", "identity", "deflate"),
  header("content-length", "0", "5", "5, 5", "-1", "+5", "0x5", "99999999999999999999", "6000000"),
  header("transfer-encoding", "chunked", "gzip, chunked", "chunked, chunked", "identity", "\tchunked"),
  header("expect", "100-continue", "200-ok"),
  header("connection", "close", "keep-alive", "upgrade", "content-length"),
  header("upgrade", "websocket", "h2c"),
  header("host", "localhost", "evil.example", "[::1]:1", "a b"),
  header("authorization", "Bearer x", "Basic eA==", "Basic %"),
  header("origin", "null", "http://localhost", "http://["),
  header("accept-encoding", "gzip", "gzip;q=0", "*;q=x", ",,,"),
  header("prefer", "return=minimal"),
  header("x-request-id", "abc", "a\u0001b"),
  header("x-forwarded-for", "1.2.3.4", "::", "unknown"),
  header("access-control-request-method", "GET", "POST"),
  header("if-none-match", "*", '"a"'),
  noise,
  fc.tuple(noise, noise).map(([name, value]) => `${name}: ${value}`),
);

const event = '{"event_type":"click","user_id":"ann"}';
const content = fc.oneof(
  fc.constantFrom(
    event,
    `[${event}]`,
    `${event}\n{\n${event}`,
    '{"user_id":"ann"}',
    "[[[[",
    '{"a":1e999}',
    "",
  ),
  fc.json(),
  noise,
);
const bytes = fc.oneof(
  content.map((text) => Buffer.from(text)),
  content.map((text) => gzipSync(text)),
  fc.uint8Array({ maxLength: 100 }).map((array) => Buffer.from(array)),
);

const LINE_END = Buffer.from("\r\n");

const chunk = fc
  .tuple(bytes, oftenOf([""], fc.constantFrom(";a=b", ";", "zz", " ", "-")))
  .map(([data, extra]) =>
    Buffer.concat([Buffer.from(data.length.toString(16) + extra), LINE_END, data, LINE_END]),
  );
const chunked = fc
  .tuple(
    fc.array(chunk, { maxLength: 4 }),
    oftenOf(["0\r\n\r\n"], fc.constantFrom("", "0\r\na: b\r\n\r\n", "0\r\n")),
  )
  .map(([chunks, end]) => Buffer.concat([...chunks, Buffer.from(end)]));

/** How a body is announced, and its bytes. */
const body = fc.oneof(
  fc.constant({ announced: [] as string[], sent: Buffer.alloc(0) }),
  bytes.map((sent) => ({ announced: [`content-length: ${sent.length}`], sent })),
  chunked.map((sent) => ({ announced: ["transfer-encoding: chunked"], sent })),
  bytes.map((sent) => ({ announced: ["content-length: 100"], sent })),
  bytes.map((sent) => ({ announced: [], sent })),
);

const malformed = fc
  .record({
    start: fc.tuple(method, target, version),
    host: fc.constantFrom(["host: localhost"], ["host: localhost"], ["host: localhost"], []),
    headers: fc.array(anyHeader, { maxLength: 5 }),
    body,
    lineEnd: oftenOf(["\r\n"], fc.constantFrom("\n", "\r", "\r\n ")),
  })
  .map(({ start, host, headers, body: { announced, sent }, lineEnd }) => {
    const lines = [start.join(" "), ...host, ...headers, ...announced, "", ""];
    return Buffer.concat([Buffer.from(lines.join(lineEnd), "latin1"), sent]);
  });

/** A valid event, and at most one header that may be in its way. */
const nearlyValid = fc
  .tuple(fc.constantFrom("/apiv1/events", "/apiv1/events/batch"), fc.array(anyHeader, { maxLength: 1 }))
  .map(([where, headers]) => {
    const lines = [
      `POST ${where} HTTP/1.1`,
      "host: localhost",
      ...headers,
      `content-length: ${event.length}`,
      "",
      event,
    ];
    return Buffer.from(lines.join("\r\n"), "latin1");
  });

const aRequest = fc.oneof({ weight: 9, arbitrary: malformed }, nearlyValid);

/** One connection: its bytes in the pieces in which they are sent, and how it ends. */
const aConnection = fc
  .record({
    requests: fc.array(aRequest, { minLength: 1, maxLength: 3 }),
    kept: fc.oneof({ weight: 3, arbitrary: fc.constant(1) }, fc.double({ min: 0, max: 1, noNaN: true })),
    flipped: fc.option(fc.tuple(fc.nat(), fc.nat(255)), { freq: 3 }),
    pieces: fc.integer({ min: 1, max: 4 }),
    ending: fc.constantFrom("closed", "half closed", "left open"),
  })
  .map(({ requests, kept, flipped, pieces, ending }) => {
    const all = Buffer.concat(requests);
    if (flipped !== null) all[flipped[0] % all.length] = flipped[1];
    const sent = all.subarray(0, Math.ceil(kept * all.length));
    const size = Math.ceil(sent.length / pieces);
    return {
      pieces: Array.from({ length: pieces }, (_, n) => sent.subarray(n * size, (n + 1) * size)),
      ending,
    };
  });
type Connection = typeof aConnection extends fc.Arbitrary<infer T> ? T : never;

/** Opens a connection and sends its bytes. What the server does to the connection is its own affair. */
async function send(
  { hostname, port }: URL,
  { pieces, ending }: Connection,
  onStatus: (status: string) => void,
): Promise<Socket> {
  const socket = connect(Number(port), hostname);
  socket.on("error", () => {});
  socket.on("data", (data) => {
    for (const [, status = ""] of data.toString("latin1").matchAll(/HTTP\/1\.1 (\d+)/g)) onStatus(status);
  });
  for (const piece of pieces) {
    if (socket.writable) socket.write(piece);
    await nextTurn();
  }
  if (ending === "closed") socket.destroy();
  if (ending === "half closed") socket.end();
  return socket;
}

test("a server that is sent 10,000 malformed requests goes on, and has no internal error", {
  timeout: PATIENCE_MS,
}, async ({ onTestFinished }) => {
  const folder = await testFolder(onTestFinished);
  let server: TestServer | undefined;
  let log = "";
  const statuses = new Set<string>();

  async function start(): Promise<TestServer> {
    const started = await plainServer.start(folder);
    onTestFinished(() => started.stop());
    for (const stream of [started.process.stdout, started.process.stderr]) {
      stream?.on("data", (data) => {
        log += data;
      });
    }
    return started;
  }

  await fc.assert(
    fc.asyncProperty(
      fc.array(aConnection, { minLength: CONNECTIONS_A_RUN, maxLength: CONNECTIONS_A_RUN }),
      async (connections) => {
        // A counterexample ends the process; fast-check then looks for a smaller one.
        if (server === undefined || server.process.exitCode !== null) server = await start();
        log = "";
        const url = new URL(server.url);
        const sockets = await Promise.all(
          connections.map((one) => send(url, one, (seen) => statuses.add(seen))),
        );
        const health = await ask(server.url, { path: "/health" }).then(
          ({ status }) => status,
          (error) => `${error.message}\n${log}`,
        );
        for (const socket of sockets) socket.destroy();
        expect(health).toBe(200);
        expect(statuses).not.toContain("500");
        expect(log).not.toContain('"status":500');
      },
    ),
    // A smaller counterexample would take minutes: the seed repeats this one.
    { numRuns: cases(RUNS), endOnFailure: true },
  );

  // Makes sure that not all requests fail at the first check.
  expect([...statuses]).toEqual(expect.arrayContaining(["200", "201", "400", "404", "405", "413", "415"]));
  const last = server as TestServer | undefined;
  expect((await track(last?.url ?? "")).status).toBe(201);
  const ending = last && endingOf(last.process);
  last?.process.kill("SIGTERM");
  expect((await ending)?.code).toBe(0);
});
