import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { createUploads } from "../../../../adapters/http/socket/uploads.ts";
import type { Failure } from "../../../../domain/failure.ts";

test("work on large requests runs in the order of arrival, one in each turn of the event loop", async () => {
  const uploads = createUploads(() => true);
  const ran: string[] = [];
  const arrive = (name: string) =>
    uploads.inTurn(new IncomingMessage(new Socket()), () => void ran.push(name));
  for (const name of ["first", "second", "third"]) arrive(name);
  expect(ran).toEqual(["first"]);
  await nextTurn();
  expect(ran).toEqual(["first", "second"]);
  await nextTurn();
  expect(ran).toEqual(["first", "second", "third"]);
});

test("a client that has left takes no turn", async () => {
  const uploads = createUploads(() => true);
  const outcomes: (Failure["code"] | "ran")[] = [];
  const arrive = (socket: Socket) =>
    uploads.inTurn(new IncomingMessage(socket), (failure) => void outcomes.push(failure?.code ?? "ran"));
  const gone = new Socket();
  for (const socket of [new Socket(), gone, new Socket()]) arrive(socket);
  gone.destroy();
  await nextTurn();
  expect(outcomes).toEqual(["ran", "timeout", "ran"]);
});
