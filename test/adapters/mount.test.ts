import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import express, { type Express, type RequestHandler } from "express";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { type MountOptions, mountAnalytics } from "../../adapters/server.ts";
import { ask } from "../end-to-end/client.ts";

const KEY = "0123456789abcdef";
const json = { "content-type": "application/json", authorization: `Bearer ${KEY}` };
const event = JSON.stringify({ event_type: "a", message_id: "m" });

async function listening(listener: RequestListener, host = "127.0.0.1"): Promise<string> {
  const server = createServer(listener).listen(0, host);
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function mounted(
  variables: Record<string, string> = { ANALYTICS_ADMIN_KEYS: KEY },
  options?: MountOptions,
) {
  const analytics = await mountAnalytics(
    { ANALYTICS_DATABASE: ":memory:", ANALYTICS_LOG_LEVEL: "error", ...variables },
    options,
  );
  onTestFinished(() => analytics.close());
  return analytics;
}

/** The address of an Express server in which these handlers run before the analytics server. */
async function behind(...handlers: RequestHandler[]): Promise<string> {
  const analytics = await mounted();
  const app: Express = express();
  for (const handler of handlers) app.use(handler);
  app.use((request, response, next) => {
    if (analytics.owns(request)) analytics.listener(request, response);
    else next();
  });
  return listening(app);
}

const send = async (url: string, body: string | Uint8Array, headers: Record<string, string> = {}) => {
  const answer = await ask(url, {
    method: "POST",
    path: "/apiv1/events",
    headers: { ...json, ...headers },
    body,
  });
  return { status: answer.status, body: JSON.parse(answer.body) };
};

describe("behind a middleware that parses bodies", () => {
  test.each<[string, RequestHandler]>([
    ["express.json()", express.json()],
    ["express.text()", express.text({ type: "*/*" })],
    ["express.raw()", express.raw({ type: "*/*" })],
  ])("%s: stores an event, compressed or not", async (_name, handler) => {
    const url = await behind(handler);
    expect((await send(url, event)).status).toBe(201);
    expect(await send(url, event)).toMatchObject({ status: 200, body: { duplicate: true } });
    expect((await send(url, gzipSync(event), { "content-encoding": "gzip" })).status).toBe(200);
  });

  test("an event with faults or a rounded integer is refused", async () => {
    const url = await behind(express.json());
    expect(await send(url, '{"event_typ":"a"}')).toMatchObject({ status: 400, body: { code: "invalid" } });
    const rounded = '{"event_type":"a","properties":{"order":9007199254740993}}';
    expect(await send(url, rounded)).toMatchObject({
      status: 400,
      body: { errors: [{ path: "properties.order" }] },
    });
  });

  test("a body above the limit of the endpoint is refused", async () => {
    const url = await behind(express.json({ limit: "10mb" }));
    const large = JSON.stringify({ event_type: "a", properties: { text: "x".repeat(100_000) } });
    expect(await send(url, large)).toMatchObject({ status: 413, body: { code: "too_large" } });
  });

  test("a body of a type that the middleware ignores is read normally", async () => {
    const url = await behind(express.json());
    expect((await send(url, event, { "content-type": "text/plain" })).status).toBe(201);
  });

  test("a consumed body is refused with instructions", async () => {
    const url = await behind((request, _response, next) => {
      request.resume().once("end", next);
    });
    expect(await send(url, event)).toEqual({
      status: 500,
      body: {
        type: "about:blank",
        title: "Internal error",
        status: 500,
        detail:
          "Something in this server has read the body before the analytics server got the request: " +
          "pass requests on to it before body parsers run.",
        code: "internal",
        errors: [],
      },
    });
  });
});

describe("a mounted server", () => {
  const owned = ({ owns }: Awaited<ReturnType<typeof mounted>>, paths: readonly string[]): string[] =>
    paths.filter((url) => owns({ url } as Parameters<typeof owns>[0]));

  const api = [
    "/apiv1/events",
    "/apiv1",
    "/apiv1/nothing?x",
    "/health",
    "/health?key=x",
    "http://localhost/health",
  ];
  const files = ["/client.js", "/analytics", "/analytics/", "/analytics/dashboard.js", "/analytics?x"];
  const others = [
    "/",
    "/healthy",
    "/apiv2",
    "/dashboard.js",
    "/analytics/other",
    "/analyticsx",
    "/apiv1x",
    "*",
  ];

  test("serves only the API by default", async () => {
    expect(owned(await mounted(), [...api, ...files, ...others])).toEqual(api);
  });

  test("serves the dashboard and the browser client if a dashboard path is set", async () => {
    const analytics = await mounted(undefined, { dashboard: "/analytics" });
    expect(owned(analytics, [...api, ...files, ...others])).toEqual([...api, ...files]);
  });

  test.each(["analytics", "/analytics/", "//", "/a b", "/<script>", ""])(
    "rejects the dashboard path %j",
    async (dashboard) => {
      await expect(mounted(undefined, { dashboard })).rejects.toThrow(
        `dashboard must be a path such as "/analytics", not ${JSON.stringify(dashboard)}`,
      );
    },
  );

  test("without keys warns and answers only requests from this machine, whatever their Host header", async () => {
    const written: unknown[] = [];
    const stderr = vi.spyOn(process.stderr, "write").mockImplementation((text) => written.push(text) > 0);
    onTestFinished(() => stderr.mockRestore());
    const analytics = await mounted({});
    expect(written).toEqual(["Analytics Server is open to everybody on this machine: no keys are set.\n"]);
    const url = await listening((request, response) => {
      const address = request.headers["x-test-peer"];
      if (address !== undefined) Object.defineProperty(request.socket, "remoteAddress", { value: address });
      analytics.listener(request, response);
    }, "0.0.0.0");
    const status = async (headers: Record<string, string>) =>
      (await ask(url, { path: "/apiv1/ab-tests", headers: { host: "localhost", ...headers } })).status;
    expect(await status({})).toBe(200);
    expect(await status({ "x-test-peer": "192.0.2.7" })).toBe(403);
    expect(await status({ "x-forwarded-for": "127.0.0.1" })).toBe(403);
  });
});
