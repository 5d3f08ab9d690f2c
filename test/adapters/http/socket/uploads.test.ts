import fc from "fast-check";
import { expect, onTestFinished, test, vi } from "vitest";
import { BLOCK_BYTES, createBlocks } from "../../../../adapters/http/socket/blocks.ts";
import { Collected } from "../../../../adapters/http/socket/collected.ts";
import {
  type Answer,
  ask,
  openConnection,
  parseAnswers,
  type RawConnection,
} from "../../../end-to-end/client.ts";
import { cases } from "../../../random.ts";
import { readsAll, serve } from "./serve.ts";

const SHORT_TIMEOUTS = { headersTimeout: 100, requestTimeout: 100, connectionsCheckingInterval: 20 };
const POST = "POST / HTTP/1.1\r\nhost: localhost\r\n";

const post = (url: string, body: string): Promise<Answer> => ask(url, { method: "POST", path: "/", body });

async function firstAnswer(client: RawConnection): Promise<Answer | undefined> {
  return parseAnswers(await client.rest())[0];
}

test.each([
  ["headers", POST],
  ["a body", `${POST}content-length: 100\r\n\r\n{`],
])("%s that arrive too slowly are refused with 408 and the code timeout", async (_name, text) => {
  const client = await openConnection(await serve(readsAll, {}, SHORT_TIMEOUTS));
  client.send(text);
  const answer = await firstAnswer(client);
  expect(answer).toMatchObject({
    status: 408,
    headers: { "content-type": "application/problem+json", connection: "close" },
  });
  expect(JSON.parse(answer?.body ?? "")).toStrictEqual({
    type: "about:blank",
    title: "The request took too long to arrive",
    status: 408,
    detail: "The request did not arrive in time; nothing was stored. Send it again.",
    code: "timeout",
    errors: [],
  });
});

test("a body is reassembled from chunks of any size, while another one arrives and is dropped", () => {
  const chunk = fc
    .record({ bytes: fc.integer({ min: 1, max: 70_000 }), seed: fc.nat(250) })
    .map(({ bytes, seed }) => new Uint8Array(bytes).map((_, at) => (seed + at) % 251));
  const chunks = fc.array(chunk, { minLength: 1 });
  fc.assert(
    fc.property(chunks, chunks, (pieces, otherPieces) => {
      const blocks = createBlocks();
      const [collected, other] = [new Collected(blocks), new Collected(blocks)];
      for (let at = 0; at < Math.max(pieces.length, otherPieces.length); at += 1) {
        const [piece, otherPiece] = [pieces[at], otherPieces[at]];
        if (piece !== undefined) collected.add(piece);
        if (otherPiece !== undefined) other.add(otherPiece);
        if (at === otherPieces.length - 1) other.drop();
      }
      expect([collected.length, collected.pieces]).toEqual([Buffer.concat(pieces).length, pieces.length]);
      expect(Buffer.compare(collected.take(), Buffer.concat(pieces))).toBe(0);
    }),
    { numRuns: cases(50) },
  );
});

test.each(["drop", "take"] as const)("the memory of a body after %s serves the next one", (end) => {
  const blocks = createBlocks();
  const lent = new Set<Uint8Array>();
  const lend = () => {
    const block = blocks.lend();
    lent.add(block);
    return block;
  };
  for (let body = 0; body < 3; body += 1) {
    const collected = new Collected({ ...blocks, lend });
    for (let piece = 0; piece < 5; piece += 1) collected.add(new Uint8Array(BLOCK_BYTES));
    collected[end]();
  }
  expect(lent.size).toBe(4);
});

test("stalled uploads do not block small or large bodies, and the largest and slowest is disconnected", async () => {
  const url = await serve(readsAll);
  const stalled = await Promise.all(Array.from({ length: 26 }, () => openConnection(url)));
  for (const client of stalled) client.send(`${POST}content-length: 5000000\r\n\r\n${"x".repeat(4_900_000)}`);
  // Together they exceed the memory limit, so some are refused while they stall.
  const refused = await Promise.any(stalled.map(firstAnswer));
  expect(refused).toMatchObject({ status: 503, headers: { connection: "close" }, body: "unavailable" });
  expect((await post(url, "x".repeat(22))).body).toBe("22");
  expect((await post(url, "x".repeat(1_000_000))).body).toBe("1000000");
  const open = stalled.filter(({ socket }) => socket.readyState === "open");
  expect(open.length).toBeGreaterThanOrEqual(5);
  for (const { socket } of stalled) socket.destroy();
});

test("a body without a length is refused when it exceeds the limit", async () => {
  const client = await openConnection(await serve(readsAll));
  client.send(`${POST}transfer-encoding: chunked\r\n\r\n`);
  const chunk = `${(100_000).toString(16)}\r\n${"x".repeat(100_000)}\r\n`;
  for (let sent = 0; sent <= 51; sent += 1) client.send(chunk);
  expect(await firstAnswer(client)).toMatchObject({ status: 413, body: "too_large" });
});

test("a body in one-byte chunks closes its connection, and one in hundred-byte chunks is accepted", async () => {
  const url = await serve(readsAll);
  const chunked = `${POST}connection: close\r\ntransfer-encoding: chunked\r\n\r\n`;
  const tiny = await openConnection(url);
  tiny.send(chunked + "1\r\nx\r\n".repeat(2_000));
  expect(await tiny.rest()).toBe("");
  const small = await openConnection(url);
  small.send(`${chunked}${`64\r\n${"x".repeat(100)}\r\n`.repeat(2_000)}0\r\n\r\n`);
  expect(await small.rest()).toMatch(/ 201 [\s\S]*200000$/);
});

test("a large body waits unread while the storage has no room, and small ones are accepted", async () => {
  let hasRoom = false;
  const url = await serve(readsAll, { hasRoom: () => hasRoom });
  let isAnswered = false;
  const large = post(url, "x".repeat(3_000_000)).finally(() => {
    isAnswered = true;
  });
  for (let n = 0; n < 50; n += 1) expect((await post(url, "x".repeat(1_000))).body).toBe("1000");
  expect(isAnswered).toBe(false);
  hasRoom = true;
  expect((await large).body).toBe("3000000");
});

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

test("a large body that waits too long for room is refused unread", async () => {
  const pass = fakeTime();
  let looks = 0;
  const url = await serve(readsAll, {
    hasRoom: () => {
      looks += 1;
      return false;
    },
  });
  const client = await openConnection(url);
  client.send(`${POST}content-length: 3000000\r\n\r\n`);
  await vi.waitFor(() => expect(looks).toBeGreaterThan(0));
  pass(3_100);
  expect(await firstAnswer(client)).toMatchObject({ status: 503, body: "unavailable" });
});

test("a waiting body is abandoned when its client disconnects", async () => {
  let hasRoom = false;
  const outcomes: string[] = [];
  const url = await serve(
    (request, respond) =>
      readsAll(request, (response) => {
        outcomes.push(String(response.body));
        respond(response);
      }),
    { hasRoom: () => hasRoom },
  );
  const client = await openConnection(url);
  client.send(`${POST}content-length: 3000000\r\n\r\n`);
  await post(url, "x");
  client.socket.destroy();
  await post(url, "x");
  hasRoom = true;
  await vi.waitFor(() => expect(outcomes.toSorted()).toEqual(["1", "1", "timeout"]));
});

test("at max one large body that takes long is processed per turn of the event loop", async () => {
  let inThisTurn = 0;
  let max = 0;
  const url = await serve((request, respond) =>
    readsAll(request, (response) => {
      const until = performance.now() + 5;
      while (performance.now() < until);
      inThisTurn += 1;
      max = Math.max(max, inThisTurn);
      setImmediate(() => {
        inThisTurn = 0;
      });
      respond(response);
    }),
  );
  const answers = await Promise.all(Array.from({ length: 40 }, () => post(url, "x".repeat(100_000))));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
  expect(max).toBe(1);
});
