import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { createPace } from "../../../../adapters/http/socket/pace.ts";
import { createTurnstile } from "../../../../adapters/http/socket/turnstile.ts";
import { createUploads } from "../../../../adapters/http/socket/uploads.ts";
import type { Failure } from "../../../../domain/failure.ts";
import { ask } from "../../../end-to-end/client.ts";
import { serve } from "./serve.ts";

/** Keeps the event loop busy, as parsing a large body does. */
function occupy(milliseconds: number): void {
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
}

/** A pace whose clock shows only the time that its work claims to take. */
function pretendedPace(turnMs?: number) {
  let time = 0;
  const pace = createPace(turnMs, () => time);
  const spend = (milliseconds: number) => () => {
    time += milliseconds;
  };
  return { pace, spend };
}

async function turnsUntilFree({ isFree }: ReturnType<typeof createPace>): Promise<number> {
  for (let turns = 0; ; turns += 1) {
    if (isFree()) return turns;
    await nextTurn();
  }
}

test("work runs in one turn of the event loop until it has taken four milliseconds together", async () => {
  const { pace, spend } = pretendedPace();
  for (let n = 0; n < 3; n += 1) {
    expect(pace.isFree()).toBe(true);
    pace.run(spend(1.5));
  }
  expect(await turnsUntilFree(pace)).toBe(1);
});

test("after work of ten milliseconds, six turns pass before more begins", async () => {
  const { pace, spend } = pretendedPace();
  pace.run(spend(10));
  expect(await turnsUntilFree(pace)).toBe(6);
  pace.run(spend(1));
  expect(pace.isFree()).toBe(true);
});

test("work that fails counts as well", async () => {
  const { pace, spend } = pretendedPace();
  const fail = () => {
    spend(20)();
    throw new Error("failed");
  };
  expect(() => pace.run(fail)).toThrow("failed");
  expect(await turnsUntilFree(pace)).toBe(6);
});

test("a pace of no time runs one piece of work in each turn", async () => {
  const { pace, spend } = pretendedPace(0);
  pace.run(spend(0));
  expect(await turnsUntilFree(pace)).toBe(1);
});

test("two queues of one pace take turns", async () => {
  const { pace, spend } = pretendedPace();
  const ran: string[] = [];
  const queues = ["bodies", "exports"].map((name) => ({ name, queue: createTurnstile(() => true, pace) }));
  for (let n = 0; n < 3; n += 1) {
    for (const { name, queue } of queues) {
      const enter = () => {
        ran.push(name);
        spend(5)();
      };
      queue.wait({ enter, refuse: () => {}, hasLeft: () => false });
    }
  }
  await expect.poll(() => ran.length).toBe(6);
  expect(ran.filter((name, index) => name === ran[index + 1])).toEqual([]);
});

test("long work on requests runs in the order of arrival, each in a turn of its own", async () => {
  const uploads = createUploads(() => true);
  const ran: string[] = [];
  let ranThisTurn = 0;
  const arrive = (name: string) =>
    uploads.inTurn(new IncomingMessage(new Socket()), () => {
      ran.push(name);
      ranThisTurn += 1;
      occupy(5);
    });
  for (const name of ["first", "second", "third"]) arrive(name);
  while (ran.length < 3) {
    expect(ranThisTurn).toBeLessThanOrEqual(1);
    ranThisTurn = 0;
    await nextTurn();
  }
  expect(ran).toEqual(["first", "second", "third"]);
});

test("work for a client that has left is not done", async () => {
  const uploads = createUploads(() => true);
  const outcomes: (Failure["code"] | "ran")[] = [];
  const arrive = (socket: Socket) =>
    uploads.inTurn(new IncomingMessage(socket), (failure) => {
      outcomes.push(failure?.code ?? "ran");
      occupy(5);
    });
  const gone = new Socket();
  for (const socket of [new Socket(), gone, new Socket()]) arrive(socket);
  gone.destroy();
  await expect.poll(() => outcomes.length).toBe(3);
  expect(outcomes).toEqual(["ran", "timeout", "ran"]);
});

test("a small request that needs several turns waits for one long piece of work at most", async () => {
  let longFinished = 0;
  let waitedFor = 0;
  const url = await serve(async (request, respond) => {
    const finish = () => respond({ status: 200, headers: {}, body: "" });
    if (request.path === "/long") {
      request.inTurn(() => {
        occupy(20);
        longFinished += 1;
        finish();
      });
      return;
    }
    const finishedBefore = longFinished;
    // As many as a write needs to share a commit.
    for (let turns = 0; turns < 4; turns += 1) await nextTurn();
    waitedFor = longFinished - finishedBefore;
    finish();
  });
  const get = (path: string) => ask(url, { method: "GET", path });
  const long = Array.from({ length: 8 }, () => get("/long"));
  await get("/small");
  expect(longFinished).toBeLessThan(8);
  expect(waitedFor).toBeLessThanOrEqual(1);
  await Promise.all(long);
});
