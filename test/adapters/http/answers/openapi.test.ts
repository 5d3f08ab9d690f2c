import { expect, test } from "vitest";
import { z } from "zod";
import { openApi, withDescription } from "../../../../adapters/http/answers/openapi.ts";
import { FAILURE_STATUS, OUTCOME_STATUS } from "../../../../adapters/http/answers/statuses.ts";
import { endpoint, type Outcome, TestPath } from "../../../../handlers/contract/endpoint.ts";
import { endpoints } from "../../../../handlers/contract/endpoints.ts";
import { openEdge } from "../../../world.ts";

interface Operation {
  readonly operationId: string;
  readonly responses: Record<string, { readonly content?: Record<string, unknown> }>;
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly required: boolean }[];
  readonly requestBody?: { readonly content: Record<string, { schema: unknown }> };
  readonly security: readonly object[];
}

interface Document {
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, Record<string, unknown>> };
}

const served = withDescription(endpoints);

const documentOf = (all = served): Document => openApi(all, "1.2.3") as unknown as Document;

const operationOf = (document: Document, name: string): Operation => {
  const all = Object.values(document.paths).flatMap((path) => Object.values(path));
  const found = all.find(({ operationId }) => operationId === name);
  if (found === undefined) throw new Error(`no operation ${name}`);
  return found;
};

test("the description of an endpoint is generated from its schemas", () => {
  const sample = endpoint({
    name: "sample",
    method: "POST",
    path: "/sample/{test_id}",
    access: "write",
    summary: "A sample",
    params: TestPath,
    query: z.strictObject({ limit: z.int().optional() }),
    body: z.strictObject({ name: z.string().max(3) }).meta({ id: "SampleInput" }),
    replies: { created: z.strictObject({ id: z.int() }), deleted: z.undefined() },
    failures: ["not_found"],
    handle: () => Promise.resolve({ outcome: "created" as const, body: { id: 1 } }),
  });
  const { paths, components, ...head } = documentOf([sample]);
  expect(head).toMatchObject({ openapi: "3.1.0", info: { title: "Analytics Server", version: "1.2.3" } });
  expect(paths["/sample/{test_id}"]?.post).toMatchObject({
    operationId: "sample",
    summary: "A sample",
    security: [{ write: [] }],
    parameters: [
      { name: "test_id", in: "path", required: true, schema: { type: "integer", minimum: 1 } },
      { name: "limit", in: "query", required: false, schema: { type: "integer" } },
    ],
    requestBody: {
      required: true,
      content: { "application/json": { schema: { $ref: "#/components/schemas/SampleInput" } } },
    },
  });
  expect(Object.keys(paths["/sample/{test_id}"]?.post?.responses ?? {})).toEqual([
    "201",
    "204",
    "400",
    "401",
    "403",
    "404",
    "405",
    "408",
    "413",
    "415",
    "429",
    "500",
    "503",
  ]);
  expect(components.schemas.SampleInput).toMatchObject({
    type: "object",
    properties: { name: { type: "string", maxLength: 3 } },
    required: ["name"],
    additionalProperties: false,
  });
});

test("every reference in the document has a target", () => {
  const document = documentOf();
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(
    ([, path]) => path ?? "",
  );
  expect(references.length).toBeGreaterThan(20);
  for (const path of references) {
    const found = path
      .split("/")
      .reduce((at: unknown, key) => (at as Record<string, unknown> | undefined)?.[key], document);
    expect(found, path).toBeTypeOf("object");
  }
});

test("every endpoint documents its answers, refusals and parameters", () => {
  const document = documentOf();
  for (const { name, path, replies, failures = [], access, body, lines } of served) {
    const { responses, parameters, requestBody, security } = operationOf(document, name);
    const outcomes = Object.keys(replies).map((outcome) => OUTCOME_STATUS[outcome as Outcome]);
    const statuses = [...outcomes, ...failures.map((code) => FAILURE_STATUS[code]), 400, 405, 429, 500, 503];
    expect(Object.keys(responses).map(Number), name).toEqual(expect.arrayContaining(statuses));
    // A parameter that takes the rest of the path has a sign that OpenAPI lacks.
    const template = path.replace("+}", "}");
    expect(Object.keys(document.paths)).toContain(template);
    expect(parameters.filter((one) => one.in === "path").map((one) => `{${one.name}}`)).toEqual(
      template.match(/\{\w+\}/g) ?? [],
    );
    expect(security).toEqual(access === "open" ? [] : [{ [access]: [] }]);
    expect(Object.keys(requestBody?.content ?? {})).toEqual(
      body === undefined ? [] : lines ? ["application/json", "application/x-ndjson"] : ["application/json"],
    );
  }
});

test("the document states the bounds of bodies", () => {
  const { schemas } = documentOf().components;
  expect(schemas.EventInput).toMatchObject({
    required: ["event_type"],
    additionalProperties: false,
    properties: {
      event_type: { type: "string", minLength: 1, maxLength: 200 },
      message_id: { anyOf: [{ maxLength: 100 }, { type: "null" }] },
    },
  });
  expect(schemas.ExperimentInput).toMatchObject({
    required: ["test_name", "variants"],
    properties: { variants: { minItems: 2, maxItems: 20 }, traffic: { minimum: 0, maximum: 1 } },
  });
  expect(schemas.Problem?.properties).toMatchObject({ code: { enum: Object.keys(FAILURE_STATUS) } });
});

test("conditions on properties are documented as where[name]=value", () => {
  const { parameters } = operationOf(documentOf(), "getTrend");
  expect(parameters.find(({ name }) => name === "where")).toMatchObject({
    in: "query",
    required: false,
    style: "deepObject",
    explode: true,
    schema: { type: "object" },
  });
});

test("an integer parameter is documented with bounds and default", () => {
  const { parameters } = operationOf(documentOf(), "getTrend");
  expect(parameters.find(({ name }) => name === "limit")).toMatchObject({
    schema: { type: "integer", minimum: 1, maximum: 100, default: 10 },
  });
});

test("an export is documented with its media types", () => {
  const document = documentOf();
  const typesOf = (name: string) => Object.keys(operationOf(document, name).responses["200"]?.content ?? {});
  expect(typesOf("exportEvents")).toEqual(["application/x-ndjson", "text/csv"]);
});

test("the server serves the document, which includes its own endpoint", async () => {
  const { status, body } = await openEdge().send({ path: "/apiv1/openapi.json" });
  expect([status, body]).toEqual([200, JSON.parse(JSON.stringify(openApi(served, "1.2.3")))]);
  expect(Object.keys((body as unknown as Document).paths)).toContain("/apiv1/openapi.json");
});

const examples = endpoints.flatMap(({ name, body }) =>
  ((body?.meta()?.examples ?? []) as unknown[]).map((example) => ({ name, body, example })),
);

test("the bodies of the specification have examples", () => {
  expect(examples.map(({ name }) => name)).toEqual(
    expect.arrayContaining(["trackEvent", "createExperiment", "assignVariant", "trackMetric"]),
  );
});

test.each(examples)("the example of $name is accepted", ({ body, example }) => {
  expect(body?.safeParse(example).error).toBeUndefined();
});
