import {
  Client as NewClient,
  StreamableHTTPClientTransport as NewTransport,
} from "@modelcontextprotocol/client";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { openApi } from "../../../adapters/http/answers/openapi.ts";
import { endpoints } from "../../../handlers/contract/endpoints.ts";
import { trackEvent } from "../../../handlers/events/track-event.ts";
import { call, openEdge, type TestEdge, type TestWorld, withColours } from "../../world.ts";
import { KEYED, READ_KEY, serveCompatible, WRITE_KEY } from "../compatible/serve.ts";

const VERSION = "io.modelcontextprotocol/protocolVersion";
const META = { [VERSION]: "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {} };

interface Rpc {
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly id?: unknown;
}

/** Sends a message as a client of the current revision does, which repeats parts of it in headers. */
function send({ send }: TestEdge, { method = "tools/list", params = {}, id = 1 }: Rpc, headers = {}) {
  const repeated: Record<string, string> = { "mcp-protocol-version": "2026-07-28", "mcp-method": method };
  if (typeof params.name === "string") repeated["mcp-name"] = params.name;
  const body = { jsonrpc: "2.0", id, method, params: { _meta: META, ...params } };
  return send({ method: "POST", path: "/mcp", body, headers: { ...repeated, ...headers } });
}

const sendOlder = ({ send }: TestEdge, body: unknown, headers = {}) =>
  send({ method: "POST", path: "/mcp", body, headers });

const callTool = (edge: TestEdge, name: string, args: unknown = {}) =>
  send(edge, { method: "tools/call", params: { name, arguments: args } });

/** The answer of a tool, parsed, and whether it is a refusal. */
async function toolAnswer(edge: TestEdge, name: string, args: unknown = {}) {
  const { status, body } = await callTool(edge, name, args);
  expect(status).toBe(200);
  const { result } = body as { result: { content: [{ type: "text"; text: string }]; isError: boolean } };
  return { isError: result.isError, answer: JSON.parse(result.content[0].text) };
}

const INFO = { "io.modelcontextprotocol/serverInfo": { name: "analytics-server", version: "1.2.3" } };

interface Operation {
  readonly operationId: string;
  readonly security: readonly object[];
  readonly responses: { readonly 200?: { readonly content?: object } };
}

/** The read endpoints that answer with JSON, as the OpenAPI document says. */
const READ_TOOLS = Object.values(openApi(endpoints, "1").paths)
  .flatMap((operations): Operation[] => Object.values(Object(operations)))
  .filter(({ security }) => security.some((access) => "read" in access))
  .filter(({ responses }) => "application/json" in (responses[200]?.content ?? {}))
  .map(({ operationId }) => operationId)
  .filter((name) => name !== "mcp")
  .sort();

async function buy(world: TestWorld, user_id: string, properties: object): Promise<void> {
  await call(trackEvent, world, { body: { event_type: "buy", user_id, properties } });
}

test("the tools are the read endpoints that answer with JSON, and nothing that writes", async () => {
  const { status, body } = await send(openEdge(), {});
  const { result } = body as { result: { tools: { name: string; annotations: object }[] } & object };
  expect(status).toBe(200);
  expect(result).toMatchObject({
    resultType: "complete",
    cacheScope: "private",
    ttlMs: 3_600_000,
    _meta: INFO,
  });
  expect(result.tools.map(({ name }) => name).sort()).toEqual(READ_TOOLS);
  expect(READ_TOOLS).toContain("getResults");
  expect(READ_TOOLS).not.toContain("exportEvents");
  for (const { annotations } of result.tools) expect(annotations).toMatchObject({ readOnlyHint: true });
});

test("a tool's arguments are those of path, query and body, as the endpoint's own schemas describe them", async () => {
  const { body } = await send(openEdge(), {});
  const { tools } = (body as { result: { tools: { name: string; inputSchema: object }[] } }).result;
  const schemaOf = (wanted: string) => tools.find(({ name }) => name === wanted)?.inputSchema;
  expect(schemaOf("getResults")).toMatchObject({
    type: "object",
    properties: { test_id: { type: "integer", minimum: 1 }, confidence: { type: "number" } },
    required: ["test_id"],
    additionalProperties: false,
  });
  expect(schemaOf("computeFunnel")).toMatchObject({
    type: "object",
    properties: { steps: { type: "array", minItems: 2 } },
    required: ["steps"],
  });
  expect(schemaOf("listRefusals")).toMatchObject({ type: "object", properties: {}, required: [] });
});

test("a tool answers what its endpoint answers", async () => {
  const edge = openEdge();
  await withColours(edge.world, { users: { ann: "blue" } });
  await buy(edge.world, "ann", { price: 12, country: "CH" });
  await buy(edge.world, "bob", { price: 3, country: "CH" });
  const pairs: [string, object, string][] = [
    ["listExperiments", { limit: 1 }, "/apiv1/ab-tests?limit=1"],
    ["getExperiment", { test_id: 1 }, "/apiv1/ab-tests/1"],
    ["getResults", { test_id: 1, confidence: 0.9 }, "/apiv1/ab-tests/1/results?confidence=0.9"],
    ["explainAssignment", { test_id: 1, user_id: "ann" }, "/apiv1/ab-tests/1/assignment?user_id=ann"],
    ["listEvents", { event_type: ["buy"], limit: 1 }, "/apiv1/events?event_type=buy&limit=1"],
    [
      "getTrend",
      { event_type: ["buy", "view"], where: { price: { gte: 10 }, country: "CH" }, from: "2026-11-20" },
      "/apiv1/events/trend?event_type=buy&event_type=view&where[price][gte]=10&where[country]=CH&from=2026-11-20",
    ],
    ["getUser", { user_id: "ann" }, "/apiv1/users/ann"],
  ];
  for (const [name, args, path] of pairs) {
    const { body } = await edge.send({ path });
    expect([name, await toolAnswer(edge, name, args)]).toEqual([name, { isError: false, answer: body }]);
  }
  const steps = [{ event_type: "buy", where: { price: { gte: 10 } } }, { event_type: "buy" }];
  const { answer } = await toolAnswer(edge, "computeFunnel", { steps });
  expect(answer.steps.map(({ users }: { users: number }) => users)).toEqual([1, 0]);
});

test("what an endpoint refuses is a result that says how to ask, with every fault", async () => {
  const edge = openEdge();
  expect(await toolAnswer(edge, "getTrend", { interval: "year", limit: 0, colour: "red" })).toEqual({
    isError: true,
    answer: {
      code: "invalid",
      detail: expect.stringMatching(/3 faults/),
      errors: [
        { path: "interval", message: 'must be "hour", "day", "week", or "month"' },
        { path: "limit", message: "must be a whole number from 1 to 100" },
        { path: "colour", message: expect.stringMatching(/not a known field/) },
      ],
    },
  });
  expect(await toolAnswer(edge, "getResults", { test_id: 9 })).toMatchObject({
    isError: true,
    answer: { code: "not_found" },
  });
  expect(await toolAnswer(edge, "listRefusals", { limit: 1 })).toMatchObject({ isError: true });
  expect(await toolAnswer(edge, "computeFunnel", { steps: [] })).toMatchObject({ isError: true });
});

test("an answer that is too long for an assistant is refused with what to ask for", async () => {
  const edge = openEdge();
  for (let n = 0; n < 5; n += 1) await buy(edge.world, "ann", { text: "x".repeat(50_000) });
  expect(await toolAnswer(edge, "listEvents", { limit: 200 })).toEqual({
    isError: true,
    answer: { code: "too_large", detail: expect.stringMatching(/lower limit/), errors: [] },
  });
  expect(await toolAnswer(edge, "listEvents", { limit: 2 })).toMatchObject({ isError: false });
});

/** A refusal of a message that could not be read. */
const unread = (code: number) => ({
  jsonrpc: "2.0",
  error: expect.objectContaining({ code, message: expect.stringMatching(/\w+/) }),
});
const error = (code: number, id = 1) => ({ ...unread(code), id });

test.each<[string, Rpc, Record<string, string>, number, object]>([
  ["an unknown method", { method: "prompts/list" }, {}, 404, error(-32601)],
  ["initialize, which this revision has not", { method: "initialize" }, {}, 404, error(-32601)],
  [
    "a tool that is not there",
    { method: "tools/call", params: { name: "eraseUser" } },
    {},
    200,
    error(-32602),
  ],
  ["a tool without a name", { method: "tools/call" }, {}, 200, error(-32602)],
  [
    "arguments that are no object",
    { method: "tools/call", params: { name: "getTrend", arguments: [] } },
    {},
    200,
    error(-32602),
  ],
  ["another version in the header", {}, { "mcp-protocol-version": "2025-11-25" }, 400, error(-32020)],
  ["another method in the header", {}, { "mcp-method": "tools/call" }, 400, error(-32020)],
  [
    "another tool in the header",
    { method: "tools/call", params: { name: "getTrend" } },
    { "mcp-name": "getUser" },
    400,
    error(-32020),
  ],
  ["no version in the message", { params: { _meta: {} } }, {}, 400, error(-32602)],
  [
    "no capabilities in the message",
    { params: { _meta: { [VERSION]: "2026-07-28" } } },
    {},
    400,
    error(-32602),
  ],
])("%s is refused with a code of the protocol", async (_, rpc, headers, status, expected) => {
  const answer = await send(openEdge(), rpc, headers);
  expect([answer.status, answer.body]).toEqual([status, expected]);
});

test("refused messages are listed, without what was in them", async () => {
  const edge = openEdge();
  await send(edge, { method: "secret" });
  await sendOlder(edge, []);
  await send(edge, { method: "tools/call", params: { name: "secret" } });
  const { answer } = await toolAnswer(edge, "listRefusals");
  expect(answer.refusals.map(({ endpoint, detail }: Record<string, string>) => [endpoint, detail])).toEqual([
    ["mcp", "There is no tool of this name: see tools/list."],
    ["mcp", "Send one message at a time: there are no batches."],
    ["mcp", "There is no method of this name here: see server/discover."],
  ]);
});

test("a version that is not known is refused with the one that is", async () => {
  const params = { _meta: { ...META, [VERSION]: "2030-01-01" } };
  const expected = {
    ...error(-32022),
    error: expect.objectContaining({ data: { supported: ["2026-07-28"], requested: "2030-01-01" } }),
  };
  const said = { "mcp-protocol-version": "2030-01-01" };
  expect(await send(openEdge(), { params }, said)).toMatchObject({ status: 400, body: expected });
  const bare = { jsonrpc: "2.0", id: 1, method: "tools/list" };
  expect(await sendOlder(openEdge(), bare, said)).toMatchObject({ status: 400, body: expected });
});

test("a tool's name may be sent as base64 in the header", async () => {
  const params = { name: "listExperiments" };
  const name = `=?base64?${Buffer.from("listExperiments").toString("base64")}?=`;
  expect(await send(openEdge(), { method: "tools/call", params }, { "mcp-name": name })).toMatchObject({
    status: 200,
    body: { result: { isError: false } },
  });
});

test.each<[string, unknown, number, object]>([
  ["broken JSON", "{", 400, unread(-32700)],
  ["an empty body", "", 400, unread(-32600)],
  ["a list of messages", [{ jsonrpc: "2.0", id: 1, method: "ping" }], 400, unread(-32600)],
  ["a message without a version of JSON-RPC", { id: 1, method: "ping" }, 400, unread(-32600)],
  ["an answer", { jsonrpc: "2.0", id: 1, result: {} }, 400, unread(-32600)],
  ["an id that is null", { jsonrpc: "2.0", id: null, method: "ping" }, 400, unread(-32600)],
  // A client of an older revision takes 404 as the end of its session.
  ["an unknown method", { jsonrpc: "2.0", id: 7, method: "resources/list" }, 200, error(-32601, 7)],
  ["a ping", { jsonrpc: "2.0", id: "a", method: "ping" }, 200, { jsonrpc: "2.0", id: "a", result: {} }],
])(
  "%s of an older client is answered with status and code of the protocol",
  async (_, sent, status, body) => {
    expect(await sendOlder(openEdge(), sent)).toMatchObject({ status, body });
  },
);

test.each(["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"])(
  "initialize agrees on the revision %s",
  async (protocolVersion) => {
    const message = {
      jsonrpc: "2.0",
      id: 0,
      method: "initialize",
      params: { protocolVersion, capabilities: {} },
    };
    const { status, body } = await sendOlder(openEdge(), message);
    expect([status, body]).toEqual([
      200,
      {
        jsonrpc: "2.0",
        id: 0,
        result: {
          protocolVersion,
          capabilities: { tools: {} },
          serverInfo: { name: "analytics-server", version: "1.2.3" },
          instructions: expect.stringMatching(/listExperiments/),
        },
      },
    ]);
  },
);

test("initialize offers the newest older revision to a client with another", async () => {
  const message = { jsonrpc: "2.0", id: 0, method: "initialize", params: { protocolVersion: "1999-01-01" } };
  expect(await sendOlder(openEdge(), message)).toMatchObject({
    body: { result: { protocolVersion: "2025-11-25" } },
  });
});

test("a notification has no answer", async () => {
  const message = { jsonrpc: "2.0", method: "notifications/initialized" };
  for (const headers of [
    {},
    { "mcp-protocol-version": "2025-11-25" },
    { "mcp-protocol-version": "2026-07-28" },
  ]) {
    const { status, body } = await sendOlder(openEdge(), message, headers);
    expect([status, body]).toEqual([202, ""]);
  }
});

test("a read key is needed, and other methods are not allowed", async () => {
  const edge = openEdge(KEYED);
  for (const [headers, status] of [
    [{}, 401],
    [{ authorization: `Bearer ${WRITE_KEY}` }, 403],
    [{ authorization: `Bearer ${READ_KEY}` }, 200],
  ] as const) {
    const answer = await send(edge, {}, headers);
    expect(answer.status).toBe(status);
    if (status !== 200) expect(answer.body).toEqual(unread(-32000));
  }
  for (const method of ["GET", "DELETE"]) {
    expect(await edge.send({ method, path: "/mcp", headers: { "x-api-key": READ_KEY } })).toMatchObject({
      status: 405,
    });
  }
});

test("any JSON at all gets a well-formed answer", async () => {
  const edge = openEdge();
  await withColours(edge.world);
  const methods = fc.constantFrom("tools/call", "tools/list", "server/discover", "initialize", "ping", "x");
  const args = fc.oneof(
    fc.jsonValue(),
    fc.dictionary(
      fc.constantFrom("test_id", "event_type", "where", "limit", "steps", "from", "__proto__"),
      fc.jsonValue(),
    ),
  );
  const params = fc.oneof(
    fc.jsonValue(),
    fc.record({ name: fc.oneof(fc.constantFrom(...READ_TOOLS), fc.jsonValue()), arguments: args }),
    fc.record({
      _meta: fc.oneof(fc.constant(META), fc.jsonValue()),
      name: fc.constantFrom(...READ_TOOLS),
      arguments: args,
    }),
  );
  const message = fc.oneof(
    fc.jsonValue(),
    fc.record(
      {
        jsonrpc: fc.constant("2.0"),
        id: fc.oneof(fc.integer(), fc.string(), fc.jsonValue()),
        method: methods,
        params,
      },
      { requiredKeys: ["jsonrpc", "method"] },
    ),
  );
  const header = fc.option(fc.constantFrom("2026-07-28", "2025-11-25", "x"), { nil: undefined });
  await fc.assert(
    fc.asyncProperty(message, header, async (sent, version) => {
      const headers = version === undefined ? {} : { "mcp-protocol-version": version };
      const { status, body } = await sendOlder(edge, JSON.stringify(sent), headers);
      expect([200, 202, 400, 404]).toContain(status);
      if (status === 202) expect(body).toBe("");
      else {
        expect(body).toMatchObject({ jsonrpc: "2.0" });
        expect(Object.keys(body as object)).toContain(
          status === 200 && "result" in (body as object) ? "result" : "error",
        );
      }
    }),
    { numRuns: 150 },
  );
});

// --- The real clients.

test("the SDK of the older revisions connects, lists the tools and calls them", async () => {
  const server = await serveCompatible(KEYED);
  await withColours(server.world);
  const client = new Client({ name: "test", version: "1" });
  const requestInit = { headers: { authorization: `Bearer ${READ_KEY}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL(`${server.url}/mcp`), { requestInit }));
  onTestFinished(() => client.close());
  expect(client.getServerVersion()).toEqual({ name: "analytics-server", version: "1.2.3" });
  const { tools } = await client.listTools();
  expect(tools.map(({ name }) => name).sort()).toEqual(READ_TOOLS);
  const { content, isError } = await client.callTool({ name: "getExperiment", arguments: { test_id: 1 } });
  expect([isError, content]).toEqual([
    false,
    [{ type: "text", text: expect.stringContaining("homepage_button_color") }],
  ]);
  await expect(client.callTool({ name: "eraseUser" })).rejects.toThrow(/no tool of this name/);
  await client.ping();
});

test("the SDK of the current revision needs no session", async () => {
  const server = await serveCompatible(KEYED);
  await withColours(server.world);
  const client = new NewClient(
    { name: "test", version: "1" },
    { versionNegotiation: { mode: { pin: "2026-07-28" } } },
  );
  const requestInit = { headers: { authorization: `Bearer ${READ_KEY}` } };
  await client.connect(new NewTransport(new URL(`${server.url}/mcp`), { requestInit }));
  onTestFinished(() => client.close());
  expect(client.getNegotiatedProtocolVersion()).toBe("2026-07-28");
  const { tools } = await client.listTools();
  expect(tools.map(({ name }) => name).sort()).toEqual(READ_TOOLS);
  const { content, isError } = await client.callTool({ name: "listExperiments", arguments: { limit: 1 } });
  expect([isError, content]).toEqual([
    false,
    [{ type: "text", text: expect.stringContaining("homepage_button_color") }],
  ]);
});
