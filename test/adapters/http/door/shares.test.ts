import { expect, test } from "vitest";
import { withDescription } from "../../../../adapters/http/answers/openapi.ts";
import { endpoints } from "../../../../handlers/contract/endpoints.ts";
import { createShare } from "../../../../handlers/shares/create-share.ts";
import { call, openEdge, type TestEdge, type TestRequest, withColours } from "../../../world.ts";

const keys = {
  write: ["write-key-0123456789"],
  read: ["read-key-0123456789"],
  admin: ["admin-key-0123456789"],
};
const PAGE = "/apiv1/shared-page";

const pages = {
  experiment: { view: "experiment", test_id: 1 },
  trend: { view: "trend", query: { event_type: "click" } },
  funnel: { view: "funnel", query: { steps: [{ event_type: "click" }, { event_type: "buy" }] } },
  retention: { view: "retention", query: {} },
  overview: { view: "overview", query: {} },
};

async function opened(page: object, settings: Parameters<typeof openEdge>[0] = {}) {
  const edge = openEdge(settings);
  await withColours(edge.world);
  const { body } = await call(createShare, edge.world, { body: { page } });
  return { ...edge, secret: body.secret };
}

const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` });

/** Every endpoint with its parameters filled in. */
const requests = withDescription(endpoints).map(({ name, method, path, access, body }) => ({
  name,
  access,
  request: {
    method,
    path: path
      .replace("{test_id}", "1")
      .replace("{share_id}", "salt-1")
      .replace(/\{\w+\+?\}/g, "x"),
    ...(body === undefined ? {} : { body: {}, headers: { "content-type": "application/json" } }),
  },
}));

const statusOf = async (
  edge: Pick<TestEdge, "send">,
  request: TestRequest,
  headers: Record<string, string>,
) => (await edge.send({ ...request, headers: { ...request.headers, ...headers } })).status;

for (const [server, settings] of [
  ["with keys", { keys }],
  ["without keys", {}],
] as const) {
  for (const [view, page] of Object.entries(pages)) {
    test(`the secret of a shared ${view} opens its page and no other endpoint of a server ${server}`, async () => {
      const edge = await opened(page, settings);
      const found: Record<string, number> = {};
      const expected: Record<string, number> = {};
      for (const { name, access, request } of requests) {
        found[name] = await statusOf(edge, request, bearer(edge.secret));
        const asAnyone = access === "open" ? await statusOf(edge, request, {}) : 403;
        expected[name] = access === "share" ? 200 : asAnyone;
      }
      expect(found).toEqual(expected);
    });
  }
}

test("a refused share link is told that it opens its own page only", async () => {
  const { send, secret } = await opened(pages.trend, { keys });
  expect((await send({ path: "/apiv1/events", headers: bearer(secret) })).body).toMatchObject({
    status: 403,
    detail: "A share link opens its own page and nothing else. This needs a key.",
  });
});

test("the parameters of a shared page cannot be changed by its guest", async () => {
  const { send, secret } = await opened(pages.trend, { keys });
  const answer = await send({ path: `${PAGE}?event_type=buy`, headers: bearer(secret) });
  expect(answer.status).toBe(400);
});

test("no key opens shared pages, and no secret is taken from an address", async () => {
  const { send, secret } = await opened(pages.trend, { keys });
  const statusWith = async (headers: Record<string, string>, query = "") =>
    (await send({ path: PAGE + query, headers })).status;
  for (const [key] of Object.values(keys)) expect(await statusWith(bearer(key ?? ""))).toBe(403);
  expect(await statusWith(bearer("unknown-key-0123456789"))).toBe(401);
  expect(await statusWith({})).toBe(401);
  expect(await statusWith({}, `?key=${secret}`)).toBe(403);
  expect(await statusWith({ "x-api-key": secret })).toBe(200);
});

test("links that do not work are refused alike, on servers with keys and without", async () => {
  for (const settings of [{ keys }, {}]) {
    const edge = await opened(pages.trend, settings);
    const [stored] = await edge.world.storage.listShares({ limit: 1 });
    await edge.world.storage.deleteShare(stored?.share_id ?? "");
    const answers = [];
    for (const secret of [edge.secret, "share_unknown", "share_", `${edge.secret}0`]) {
      answers.push(await edge.send({ path: PAGE, headers: bearer(secret) }));
    }
    expect(new Set(answers.map((answer) => JSON.stringify(answer)))).toHaveLength(1);
    expect(answers[0]?.status).toBe(401);
  }
});

test("the log has no part of a secret, whatever it is sent to", async () => {
  const { send, logs, world, secret } = await opened(pages.trend, { keys });
  for (const { request } of requests) await send({ ...request, headers: bearer(secret) });
  await send({ path: PAGE, headers: bearer(`${secret}0`) });
  await send({ path: `${PAGE}?key=${secret}` });
  expect(logs.length).toBeGreaterThan(requests.length / 2);
  expect(JSON.stringify(logs)).not.toContain(secret);
  expect(JSON.stringify(world.activity.refusals)).not.toContain(secret);
});

test("guests have a bucket of the rate limit for each network, whatever their links", async () => {
  const { send, secret } = await opened(pages.trend, { keys, rate: { perSecond: 1, burst: 2 } });
  const statusFrom = async (address: string, with_: string) =>
    (await send({ path: PAGE, headers: bearer(with_), address })).status;
  expect([
    await statusFrom("203.0.113.1", secret),
    await statusFrom("203.0.113.1", "share_unknown"),
    await statusFrom("203.0.113.1", secret),
    await statusFrom("198.51.100.1", secret),
  ]).toEqual([200, 401, 429, 200]);
});

test("a key of this server that begins like a share link's secret is a key", async () => {
  const key = "share_key-0123456789";
  const { send } = openEdge({ keys: { write: [], read: [key], admin: [] } });
  expect((await send({ path: "/apiv1/events", headers: bearer(key) })).status).toBe(200);
});
