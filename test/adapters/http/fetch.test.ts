import { expect, test } from "vitest";
import { createFetch } from "../../../adapters/http/fetch.ts";
import { openEdge } from "../../world.ts";

const LOCAL = { address: "127.0.0.1" };
const ORIGIN = "http://localhost:20000";

const JSON_TYPE = { "content-type": "application/json" };

const posted = (path: string, body: RequestInit["body"], init: RequestInit & { duplex?: "half" } = {}) =>
  new Request(`${ORIGIN}${path}`, { method: "POST", headers: JSON_TYPE, body, ...init });

function streamOf(pieces: readonly string[], end: (controller: ReadableStreamDefaultController) => void) {
  const left = [...pieces];
  return new ReadableStream({
    pull(controller) {
      const piece = left.shift();
      if (piece === undefined) end(controller);
      else controller.enqueue(new TextEncoder().encode(piece));
    },
  });
}

test("a request is answered as the listener answers it, with status, headers and body", async () => {
  const fetch = createFetch(openEdge().edge);
  const answer = await fetch(posted("/apiv1/events", JSON.stringify({ event_type: "click" })), LOCAL);
  expect(answer.status).toBe(201);
  expect(answer.headers.get("content-type")).toBe("application/json; charset=utf-8");
  expect(await answer.json()).toEqual({ success: true, id: 1, created_at: "2026-11-22T10:00:00.000Z" });
});

test("the query is passed on, and an export is streamed", async () => {
  const edge = openEdge();
  const fetch = createFetch(edge.edge);
  for (const event_type of ["click", "view"])
    await edge.send({ method: "POST", path: "/apiv1/events", body: { event_type } });
  const answer = await fetch(new Request(`${ORIGIN}/apiv1/events/export?event_type=view`), LOCAL);
  const lines = (await answer.text()).trim().split("\n");
  expect(lines.map((line) => JSON.parse(line).event_type)).toEqual(["view"]);
});

test("a reader who leaves an export ends the reading of it", async () => {
  const edge = openEdge();
  await edge.send({ method: "POST", path: "/apiv1/events", body: { event_type: "click" } });
  const { body } = await createFetch(edge.edge)(new Request(`${ORIGIN}/apiv1/events/export`), LOCAL);
  await body?.cancel();
  expect(body?.locked).toBe(false);
});

test("answers without a body have none", async () => {
  const edge = openEdge();
  const fetch = createFetch(edge.edge);
  const preflight = new Request(`${ORIGIN}/apiv1/events`, {
    method: "OPTIONS",
    headers: { origin: "https://shop.example", "access-control-request-method": "POST" },
  });
  const answer = await fetch(preflight, LOCAL);
  expect([answer.status, answer.body]).toEqual([204, null]);
});

test("a body that is too large is refused while it streams", async () => {
  const fetch = createFetch(openEdge().edge);
  const piece = " ".repeat(100_000);
  const endless = streamOf([], (controller) => controller.enqueue(new TextEncoder().encode(piece)));
  const answer = await fetch(posted("/apiv1/events", endless, { duplex: "half" }), LOCAL);
  expect([answer.status, await answer.json()]).toEqual([413, expect.objectContaining({ code: "too_large" })]);
});

test("a body that breaks off is refused as one that may be sent again", async () => {
  const fetch = createFetch(openEdge().edge);
  const broken = streamOf(['{"event_type":'], (controller) => controller.error(new Error("gone")));
  const answer = await fetch(posted("/apiv1/events", broken, { duplex: "half" }), LOCAL);
  expect([answer.status, await answer.json()]).toEqual([408, expect.objectContaining({ code: "timeout" })]);
});

test("without the caller's address a server without keys refuses, and says why", async () => {
  const fetch = createFetch(openEdge().edge);
  const answer = await fetch(new Request(`${ORIGIN}/apiv1/events`));
  expect(answer.status).toBe(403);
  expect(await answer.text()).toContain("an unknown address");
});
