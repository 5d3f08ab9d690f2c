import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { coloursReply } from "../world.ts";
import { type Answer, ask, openConnection, parseAnswers, post, type Question } from "./client.ts";
import { askBoth, comparable, type Pair, sameAnswer, startPair, withoutFramework } from "./pair.ts";
import {
  ADMIN_KEY,
  accepted,
  event,
  JSON_REPLY,
  keyRows,
  PROBLEM_REPLY,
  problem,
  READ_KEY,
  rows,
  WRITE_KEY,
} from "./rows.ts";

type Fetch = (url: string, init: { method: string; headers: Record<string, string>; body: string }) => void;

// Copied from the specification without changes.
const examples: Record<string, (fetch: Fetch) => void> = {
  "Tracking an Event"(fetch) {
    fetch("http://localhost:20000/apiv1/events", {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
      },
      body: JSON.stringify({
        event_type: "button_click",
        user_id: "user123",
        session_id: "session456",
        properties: {
          button_name: "submit",
          page: "homepage",
        },
      }),
    });
  },
  "Creating an A/B Test"(fetch) {
    fetch("http://localhost:20000/apiv1/ab-tests", {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
      },
      body: JSON.stringify({
        test_name: "homepage_button_color",
        description: "Testing different button colors on homepage",
        variants: [
          {
            variant_name: "red",
            description: "Red button",
            weight: 0.5,
          },
          {
            variant_name: "blue",
            description: "Blue button",
            weight: 0.5,
          },
        ],
      }),
    });
  },
};

const PAGE = "http://localhost:3000";

/** The request of an example, sent from a page of another origin. Only the port differs. */
function questionOf(example: string): Question & { readonly headers: Record<string, string> } {
  const asked: (Question & { headers: Record<string, string> })[] = [];
  examples[example]?.((url, { method, headers, body }) => {
    asked.push({ method, path: new URL(url).pathname, headers: { ...headers, Origin: PAGE }, body });
  });
  const [question] = asked;
  if (question === undefined) throw new Error(`Unknown example: ${example}`);
  return question;
}

const { id: _, ...colours } = coloursReply({ created_at: "<time>" });

let open: Pair;
let keyed: Pair;

beforeAll(async () => {
  const quiet = { ANALYTICS_LOG_LEVEL: "error" };
  [open, keyed] = await Promise.all([
    startPair(quiet),
    startPair({
      ...quiet,
      ANALYTICS_WRITE_KEYS: WRITE_KEY,
      ANALYTICS_READ_KEYS: READ_KEY,
      ANALYTICS_ADMIN_KEYS: ADMIN_KEY,
    }),
  ]);
});

afterAll(() => Promise.all([open?.close(), keyed?.close()]));

describe("the example call", () => {
  test.each(Object.keys(examples))("“%s” passes its CORS preflight", async (example) => {
    const { method = "", path, headers } = questionOf(example);
    const answer = await askBoth(open, {
      method: "OPTIONS",
      path,
      headers: {
        Origin: PAGE,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "content-type",
      },
    });
    expect(answer.status).toBe(204);
    expect(["*", PAGE]).toContain(answer.headers["access-control-allow-origin"]);
    expect(answer.headers["access-control-allow-methods"]).toContain("POST");
    expect(answer.headers["access-control-allow-headers"]).toContain("content-type");
    expect(headers).toEqual({ "Content-Type": "application/json", Origin: PAGE });
  });

  test("“Tracking an Event” gets 201, readable by its page", async () => {
    const { status, headers, body } = await askBoth(open, questionOf("Tracking an Event"));
    expect({ status, body: JSON.parse(body) }).toEqual({ status: 201, body: accepted });
    expect(headers).toMatchObject({ "content-type": JSON_REPLY, "access-control-allow-origin": "*" });
  });

  test("“Creating an A/B Test” gets 201, and the experiment survives a restart", async () => {
    const created = await askBoth(open, questionOf("Creating an A/B Test"));
    expect(created.status).toBe(201);
    expect(JSON.parse(created.body)).toEqual({ success: true, test_id: 1, ...colours });
    expect(["*", PAGE]).toContain(created.headers["access-control-allow-origin"]);

    await open.restart();

    const shown = await askBoth(open, { path: "/apiv1/ab-tests" });
    expect(shown.status).toBe(200);
    expect(JSON.parse(shown.body)).toEqual({ tests: [{ id: 1, ...colours }], next_cursor: null });
  });
});

describe("both servers give the same answer to", () => {
  test.each(rows)("$name ($status)", async ({ status, reply, type, replyHeaders = {}, ...question }) => {
    const answer = await askBoth(open, question);
    const usual = status < 400 ? JSON_REPLY : PROBLEM_REPLY;
    const body = type === undefined ? answer.body && JSON.parse(answer.body) : answer.body;
    expect({ status: answer.status, reply: body }).toEqual({ status, reply });
    expect(answer.headers).toMatchObject({
      ...(answer.body === "" ? {} : { "content-type": type ?? usual }),
      "cache-control": "no-store",
      ...replyHeaders,
      "x-content-type-options": "nosniff",
    });
  });

  test("a request for the OpenAPI document with Accept-Encoding: gzip, answered uncompressed", async () => {
    const question = { path: "/apiv1/openapi.json", headers: { "accept-encoding": "gzip" } };
    // Checked first, so that a failure does not print compressed bytes.
    const answers = await Promise.all(open.urls().map((url) => ask(url, question)));
    expect(answers.map(({ headers }) => headers["content-encoding"])).toEqual([undefined, undefined]);
    const { status, body } = await askBoth(open, question);
    expect(status).toBe(200);
    expect(JSON.parse(body)).toMatchObject({ openapi: "3.1.0" });
  });

  test("the requests of an experiment from creation to results", async () => {
    const variants = [
      { variant_name: "only", weight: 1 },
      { variant_name: "never", weight: 0 },
    ];
    const path = async (rest: string): Promise<string> => {
      const { body } = await askBoth(open, { path: "/apiv1/ab-tests?limit=1" });
      return `/apiv1/ab-tests/${JSON.parse(body).tests[0].id}${rest}`;
    };
    const send = (where: string, body: object): Promise<Answer> =>
      sameAnswer(open, (url) => post(url, where, body));

    expect((await send("/apiv1/ab-tests", { test_name: "whole", variants })).status).toBe(201);
    const user = { user_id: "user123" };
    const value = { ...user, metric_name: "purchase", value: 2.5, message_id: "purchase-1" };
    const statuses = [
      await send(await path("/assign"), user),
      await send(await path("/assign"), user),
      await send(await path("/track"), value),
      await send(await path("/track"), value),
      await send(await path("/track"), { ...value, user_id: "nobody", message_id: "purchase-2" }),
    ].map(({ status }) => status);
    expect(statuses).toEqual([201, 200, 201, 200, 409]);

    const results = await askBoth(open, { path: await path("/results") });
    expect(JSON.parse(results.body).results[0]).toMatchObject({
      variant_name: "only",
      users: 1,
      metric_count: 1,
      average_value: 2.5,
    });
    const deleted = await askBoth(open, { method: "DELETE", path: await path("") });
    expect(deleted).toMatchObject({ status: 204, body: "" });
  });
});

/** Sends raw bytes to both servers, and expects the same answers. */
async function sameConversation(speak: (url: string) => Promise<string>): Promise<Answer[]> {
  const [offline = [], plain = []] = (await Promise.all(open.urls().map(speak))).map((text) =>
    parseAnswers(text).map(comparable),
  );
  expect(offline.map(withoutFramework)).toEqual(plain);
  return plain;
}

async function sendAndRead(url: string, text: string): Promise<string> {
  const connection = await openConnection(url);
  connection.send(text);
  return connection.rest();
}

const head = (...lines: string[]): string =>
  ["POST /apiv1/events HTTP/1.1", "host: localhost", ...lines, "", ""].join("\r\n");

describe("both servers handle the connection in the same way after", () => {
  test("a refused request with a pipelined request behind it", async () => {
    const refused = `${head("content-type: application/xml", "content-length: 8")}<event/>`;
    const good = head(
      "content-type: application/json",
      "connection: close",
      `content-length: ${event.length}`,
    );
    const answers = await sameConversation((url) => sendAndRead(url, refused + good + event));
    expect(answers.map(({ status }) => status)).toEqual([415, 201]);
  });

  test("a truncated body, of which nothing is stored", async () => {
    const count = async (url: string): Promise<number> =>
      JSON.parse((await post(url, "/apiv1/events", { event_type: "count" })).body).id;
    const half = head("content-type: application/json", "content-length: 1000") + event;
    const before = await Promise.all(open.urls().map(count));
    const answers = await sameConversation(async (url) => {
      const connection = await openConnection(url);
      connection.socket.end(half);
      return connection.rest();
    });
    expect(answers.map(({ status, headers }) => [status, headers.connection])).toEqual([[400, "close"]]);
    const after = await Promise.all(open.urls().map(count));
    expect(after).toEqual(before.map((id) => id + 1));
  });

  test("a request with 10,000 headers, which is refused and closes the connection", async () => {
    const many = Array.from({ length: 10_000 }, (_, index) => `x-header-${index}: value`);
    const [answer, ...more] = await sameConversation((url) => sendAndRead(url, head(...many)));
    expect(answer).toMatchObject({ status: 413, headers: { "content-type": PROBLEM_REPLY } });
    expect(JSON.parse(answer?.body ?? "")).toEqual(problem(413, "too_large"));
    expect(more).toEqual([]);
  });

  test.each([
    ["without Host", 400, ["GET /health HTTP/1.1", "connection: close"]],
    [
      "with two Hosts",
      400,
      ["GET /health HTTP/1.1", "host: localhost", "host: localhost", "connection: close"],
    ],
    ["with HTTP/1.0 to a server without keys", 403, ["GET /health HTTP/1.0", "host: 127.0.0.1:20000"]],
    ["with an unknown expectation", 417, ["GET /health HTTP/1.1", "host: localhost", "expect: a-miracle"]],
    ["with the method CONNECT", 405, ["CONNECT shop.example:443 HTTP/1.1", "host: shop.example:443"]],
    [
      "with Expect: 100-continue and a too large content-length",
      413,
      [
        "POST /apiv1/events/batch HTTP/1.1",
        "host: localhost",
        "content-length: 6000000",
        "expect: 100-continue",
        "connection: close",
      ],
    ],
  ])("a request %s, refused with a problem document (%i)", async (_name, status, lines) => {
    const [answer, ...more] = await sameConversation((url) =>
      sendAndRead(url, [...lines, "", ""].join("\r\n")),
    );
    expect(answer).toMatchObject({ status, headers: { "content-type": PROBLEM_REPLY } });
    expect(JSON.parse(answer?.body ?? "")).toMatchObject({ type: "about:blank", status });
    expect(more).toEqual([]);
  });

  test("bytes that are not HTTP, which are refused and close the connection", async () => {
    const [answer, ...more] = await sameConversation((url) => sendAndRead(url, "good evening\r\n\r\n"));
    expect(answer).toMatchObject({ status: 400, headers: { "content-type": PROBLEM_REPLY } });
    expect(more).toEqual([]);
  });
});

describe("with keys both servers give the same answer to", () => {
  test.each(keyRows)("$name ($status)", async ({ status, ...question }) => {
    const answer = await askBoth(keyed, question);
    expect(answer.status).toBe(status);
    expect(answer.headers["www-authenticate"]).toBe(status === 401 ? "Bearer" : undefined);
    expect(answer.body).not.toMatch(/-key-of-/);
  });
});
