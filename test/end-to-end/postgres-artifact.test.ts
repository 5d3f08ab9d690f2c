import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { bundledPostgres, type PostgresServer, startPostgres } from "../adapters/postgres/server.ts";
import { gatewayEvent, type RecordedRequest } from "./api-gateway.ts";
import { unzip } from "./zip.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));
const KEY = "admin-key-0123456789";
const MEBIBYTE = 1_048_576;

const folder = mkdtempSync(join(tmpdir(), "analytics-artifact-"));
const empty = join(folder, "empty");
let server: PostgresServer;
let files: string[];

// Packaging must work without an AWS account: no key, no profile and no metadata service.
const withoutCredentials = {
  PATH: process.env.PATH ?? "",
  HOME: folder,
  AWS_EC2_METADATA_DISABLED: "true",
};

beforeAll(async () => {
  const packaging = run(
    process.execPath,
    [join(root, "node_modules/serverless/bin/serverless.js"), "package", "--package", folder],
    {
      cwd: root,
      env: withoutCredentials,
    },
  );
  [server] = await Promise.all([startPostgres(bundledPostgres()), packaging]);
  mkdirSync(empty);
  files = unzip(join(folder, "analytics-server.zip"), empty);
}, 120_000);

afterAll(async () => {
  await server.remove();
  rmSync(folder, { recursive: true, force: true });
});

type Named = RecordedRequest & { readonly name: string };

const request = (name: string, method: string, path: string, body?: unknown, query?: string): Named => ({
  name,
  method,
  path,
  query,
  body,
  key: KEY,
});

const variants = [{ variant_name: "red" }, { variant_name: "blue" }];
const ONE = "/apiv1/ab-tests/1";

const FLAG_CONTEXT = { context: { targetingKey: "ann" } };
const UMAMI_EVENT = { type: "event", payload: { website: KEY, hostname: "shop.example", url: "/" } };
const POSTHOG_EVENT = { event: "click", distinct_id: "ann" };

// Named as in serverless.yml, ordered so that each request finds the data it needs.
const requests: readonly Named[] = [
  request("checkHealth", "GET", "/health"),
  request("describeApi", "GET", "/apiv1/openapi.json"),
  request("describeBriefly", "GET", "/llms.txt"),
  request("trackEvent", "POST", "/apiv1/events", { event_type: "click", message_id: "m" }),
  request("trackEvents", "POST", "/apiv1/events/batch", [{ event_type: "click" }, { event_type: "view" }]),
  request("createExperiment", "POST", "/apiv1/ab-tests", { test_name: "colours", variants }),
  request("listExperiments", "GET", "/apiv1/ab-tests"),
  request("getExperiment", "GET", ONE),
  request("updateExperiment", "PATCH", ONE, { description: "of a button" }),
  request("assignVariant", "POST", `${ONE}/assign`, { user_id: "ann" }),
  request("explainAssignment", "GET", `${ONE}/assignment`, undefined, "user_id=ann"),
  request("assignEverywhere", "POST", "/apiv1/assignments", { user_id: "bob" }),
  request("importAssignments", "POST", `${ONE}/assignments`, [{ user_id: "cyd", variant: "red" }]),
  request("trackMetric", "POST", `${ONE}/track`, { user_id: "ann", metric_name: "revenue", value: 2.5 }),
  request("trackMetrics", "POST", `${ONE}/track/batch`, [{ user_id: "bob", metric_name: "revenue" }]),
  request("getResults", "GET", `${ONE}/results`),
  request("getTimeline", "GET", `${ONE}/timeline`),
  request("checkExperiment", "POST", `${ONE}/self-check`, {}),
  request("planSampleSize", "POST", "/apiv1/sample-size", { baseline: 0.1, effect: 0.02 }),
  request("linkUsers", "POST", "/apiv1/users/alias", { anonymous_id: "anonymous", user_id: "ann" }),
  request("getUser", "GET", "/apiv1/users/ann"),
  request("exportUser", "GET", "/apiv1/users/ann/export"),
  request("listEvents", "GET", "/apiv1/events"),
  request("listEventTypes", "GET", "/apiv1/events/types"),
  request("getTrend", "GET", "/apiv1/events/trend", undefined, "breakdown=page"),
  request("listPropertyValues", "GET", "/apiv1/events/values", undefined, "property=page"),
  request("getOverview", "GET", "/apiv1/overview"),
  request("createAnnotation", "POST", "/apiv1/annotations", { text: "Release 1.9" }),
  request("listAnnotations", "GET", "/apiv1/annotations"),
  request("deleteAnnotation", "DELETE", "/apiv1/annotations/unknown"),
  request("saveQuestion", "POST", "/apiv1/questions", {
    name: "Clicks",
    question: { report: "trend", query: { event_type: ["click"] } },
    pinned: true,
  }),
  request("listQuestions", "GET", "/apiv1/questions", undefined, "include=answers"),
  request("updateQuestion", "PATCH", "/apiv1/questions/unknown", { pinned: false }),
  request("deleteQuestion", "DELETE", "/apiv1/questions/unknown"),
  request("createShare", "POST", "/apiv1/shares", { page: { view: "trend", query: {} } }),
  request("listShares", "GET", "/apiv1/shares"),
  request("deleteShare", "DELETE", "/apiv1/shares/unknown"),
  // A key does not open shared pages.
  request("getSharedPage", "GET", "/apiv1/shared-page"),
  request("computeFunnel", "POST", "/apiv1/events/funnel", {
    steps: [{ event_type: "click" }, { event_type: "view" }],
  }),
  request("getRetention", "GET", "/apiv1/events/retention"),
  request("exportEvents", "GET", "/apiv1/events/export", undefined, "format=csv"),
  request("listRefusals", "GET", "/apiv1/refusals"),
  request("showMetrics", "GET", "/metrics"),
  request("ofrepEvaluateFlag", "POST", "/ofrep/v1/evaluate/flags/colours", FLAG_CONTEXT),
  request("ofrepEvaluateFlags", "POST", "/ofrep/v1/evaluate/flags", FLAG_CONTEXT),
  request("segmentCall", "POST", "/v1/track", { userId: "ann", event: "click" }),
  request("segmentSettings", "GET", `/v1/projects/${KEY}/settings`),
  request("posthogBatch", "POST", "/batch", { batch: [POSTHOG_EVENT] }),
  request("posthogEvent", "POST", "/e", POSTHOG_EVENT),
  request("posthogIngest", "POST", "/i/v0/e", POSTHOG_EVENT),
  request("posthogCapture", "POST", "/capture", POSTHOG_EVENT),
  request("posthogFlags", "POST", "/flags", { distinct_id: "ann" }),
  request("posthogDecide", "POST", "/decide", { distinct_id: "ann" }),
  request("cloudEvents", "POST", "/apiv1/cloudevents", {
    specversion: "1.0",
    id: "1",
    source: "/shop",
    type: "click",
  }),
  request("growthbookEval", "POST", `/api/eval/${KEY}`, { attributes: { id: "ann" } }),
  request("umamiSend", "POST", "/api/send", UMAMI_EVENT),
  request("umamiBatch", "POST", "/api/batch", [UMAMI_EVENT]),
  request("plausibleEvent", "POST", "/api/event", { n: "pageview", u: "https://shop.example/", d: KEY }),
  request("mcp", "POST", "/mcp", { jsonrpc: "2.0", id: 1, method: "tools/list" }),
  request("answerOther", "GET", "/"),
  request("answerOther", "GET", "/dashboard.js"),
  request("answerOther", "GET", "/dashboard.css"),
  request("answerOther", "GET", "/icon.svg"),
  request("answerOther", "GET", "/client.js"),
  request("answerOther", "GET", "/nowhere"),
  request("deleteExperiment", "DELETE", ONE),
  request("eraseUser", "DELETE", "/apiv1/users/ann"),
  request("listErasures", "GET", "/apiv1/erasures"),
];

/** Identifies an answer by its path, because one function serves several routes. */
const labelOf = ({ name, path }: Named): string => (name === "answerOther" ? `${name} ${path}` : name);

// Imports the bundle once and calls the function of each route, as AWS does.
const HOST = `
import { readFileSync } from "node:fs";
const functions = await import("./dist/lambda.mjs");
const answers = {};
for (const { name, label, event } of JSON.parse(readFileSync("events.json", "utf8"))) {
  answers[label] = await functions[name](event, { awsRequestId: "request-" + name });
}
process.stdout.write("\\nANSWERS " + JSON.stringify(answers) + "\\n");
`;

interface Answer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

async function answersOf(url: string): Promise<Readonly<Record<string, Answer>>> {
  writeFileSync(join(empty, "host.mjs"), HOST);
  const events = requests.map((one) => ({ name: one.name, label: labelOf(one), event: gatewayEvent(one) }));
  writeFileSync(join(empty, "events.json"), JSON.stringify(events));
  const { stdout } = await run(process.execPath, ["host.mjs"], {
    cwd: empty,
    env: {
      ...withoutCredentials,
      AWS_LAMBDA_FUNCTION_NAME: "analytics-server-dev",
      ANALYTICS_DATABASE: url,
      ANALYTICS_ADMIN_KEYS: KEY,
    },
  });
  return JSON.parse(/^ANSWERS (.*)$/m.exec(stdout)?.[1] ?? "{}");
}

test("the artifact is smaller than 1 MiB and contains only bundles and licence notices", () => {
  expect(statSync(join(folder, "analytics-server.zip")).size).toBeLessThan(MEBIBYTE);
  for (const name of files)
    expect(name).toMatch(
      /^dist\/(?:(?!serve|offline|cli|demo|backup|restore|rebuild|copy)[\w-]+\.[cm]js|web\/[\w-]+\.(?:html|js|css|svg)|THIRD-PARTY-NOTICES\.txt)$/,
    );
});

test("the requests reach every function of serverless.yml", () => {
  const { functions } = parse(readFileSync(join(root, "serverless.yml"), "utf8"));
  expect([...new Set(requests.map(({ name }) => name))].sort()).toEqual(Object.keys(functions).sort());
});

test("the unzipped artifact answers a gateway event for every endpoint from PostgreSQL", async () => {
  const answers = await answersOf(await server.newDatabase());
  const statuses = Object.entries(answers).map(([name, { statusCode }]) => [name, statusCode]);
  expect(Object.fromEntries(statuses)).toEqual({
    checkHealth: 200,
    describeApi: 200,
    describeBriefly: 200,
    trackEvent: 201,
    trackEvents: 201,
    createExperiment: 201,
    listExperiments: 200,
    getExperiment: 200,
    updateExperiment: 200,
    assignVariant: 201,
    explainAssignment: 200,
    assignEverywhere: 200,
    importAssignments: 201,
    trackMetric: 201,
    trackMetrics: 201,
    getResults: 200,
    getTimeline: 200,
    // Three users are too few for the self-check.
    checkExperiment: 400,
    planSampleSize: 200,
    linkUsers: 201,
    getUser: 200,
    exportUser: 200,
    listEvents: 200,
    listEventTypes: 200,
    getTrend: 200,
    listPropertyValues: 200,
    getOverview: 200,
    createAnnotation: 201,
    listAnnotations: 200,
    deleteAnnotation: 404,
    saveQuestion: 201,
    listQuestions: 200,
    updateQuestion: 404,
    deleteQuestion: 404,
    createShare: 201,
    listShares: 200,
    deleteShare: 404,
    getSharedPage: 403,
    computeFunnel: 200,
    getRetention: 200,
    exportEvents: 200,
    listRefusals: 200,
    showMetrics: 200,
    ofrepEvaluateFlag: 200,
    ofrepEvaluateFlags: 200,
    segmentCall: 200,
    segmentSettings: 200,
    posthogBatch: 200,
    posthogEvent: 200,
    posthogIngest: 200,
    posthogCapture: 200,
    posthogFlags: 200,
    posthogDecide: 200,
    growthbookEval: 200,
    cloudEvents: 200,
    umamiSend: 200,
    umamiBatch: 200,
    plausibleEvent: 202,
    mcp: 200,
    "answerOther /": 200,
    "answerOther /dashboard.js": 200,
    "answerOther /dashboard.css": 200,
    "answerOther /icon.svg": 200,
    "answerOther /client.js": 200,
    "answerOther /nowhere": 404,
    deleteExperiment: 204,
    eraseUser: 200,
    listErasures: 200,
  });
  const { results } = JSON.parse(answers.getResults?.body ?? "{}");
  const users = results.map((variant: { users: number }) => variant.users);
  expect(users[0] + users[1]).toBe(3);
  expect(JSON.parse(answers.getTrend?.body ?? "{}").series).toMatchObject([{ group: null, total: 3 }]);
  expect(answers.exportEvents?.body.split("\r\n")).toHaveLength(5);
});

test("on Lambda a database file is refused with the setting to change", async () => {
  await expect(answersOf("data/analytics.db")).rejects.toThrow(/set ANALYTICS_DATABASE to postgres/);
});
