import { z } from "zod";
import type { FailureCode } from "../../../domain/failure.ts";
import { documentedBatches } from "../../../handlers/contract/batch.ts";
import { type Access, type Endpoint, endpoint, type Outcome } from "../../../handlers/contract/endpoint.ts";
import type { ListingFormat } from "../../../handlers/contract/listing.ts";
import { PlainText, plainTextOf, type TextFormat } from "../../../handlers/contract/plain-text.ts";
import { LISTING_TYPES } from "./listing.ts";
import { llmsText, SUMMARY } from "./llms.ts";
import { TEXT_TYPES } from "./plain-text.ts";
import { REFUSAL_ADVICE } from "./problem.ts";
import { FAILURE_STATUS, OUTCOME_STATUS } from "./statuses.ts";

type Json = Record<string, unknown>;
export type OpenApi = { openapi: string; paths: Record<string, unknown> } & Json;

const PROBLEM: Json = {
  type: "object",
  description: "RFC 9457. `code` is one of a closed set; `errors` lists the first 100 faults of the request.",
  properties: {
    type: { type: "string" },
    title: { type: "string" },
    status: { type: "integer" },
    detail: { type: "string" },
    code: { enum: Object.keys(FAILURE_STATUS) },
    errors: {
      type: "array",
      items: {
        type: "object",
        properties: { path: { type: "string" }, message: { type: "string" } },
        required: ["path", "message"],
      },
    },
    more_errors: { type: "integer", description: "How many faults are not listed, where any are not." },
  },
  required: ["type", "title", "status", "detail", "code", "errors"],
};

// Failures that every endpoint with the trait may have, so that an endpoint lists only its own.
const ALWAYS: readonly FailureCode[] = [
  "invalid",
  "method_not_allowed",
  "rate_limited",
  "internal",
  "unavailable",
];
const WITH_BODY: readonly FailureCode[] = ["timeout", "too_large", "unsupported_media_type"];
const WITH_KEY: readonly FailureCode[] = ["unauthorized", "forbidden"];

const movedToComponents = (json: Json): Json =>
  JSON.parse(JSON.stringify(json).replaceAll("#/$defs/", "#/components/schemas/"));

/** zod drops the examples of a schema that transforms what it parses. Ours are of its input, as the document is. */
function keepExamples({ zodSchema, jsonSchema }: { zodSchema: z.core.$ZodTypes; jsonSchema: Json }): void {
  const examples = z.globalRegistry.get(zodSchema)?.examples;
  if (examples !== undefined) jsonSchema.examples = examples;
}

/** Writes schemas, and collects the named ones so that the document has each of them once. */
function schemaWriter(schemas: Json) {
  return (schema: z.ZodType, io: "input" | "output"): Json => {
    const written = movedToComponents(
      z.toJSONSchema(schema, { io, unrepresentable: "any", override: keepExamples }),
    );
    const { $schema, $defs = {}, ...json } = written;
    for (const [name, { id, ...definition }] of Object.entries($defs as Record<string, Json>)) {
      schemas[name] = definition;
    }
    return json;
  };
}
type Write = ReturnType<typeof schemaWriter>;

function failuresOf({ access, body, failures = [] }: Endpoint): FailureCode[] {
  return [
    ...ALWAYS,
    ...(body === undefined ? [] : WITH_BODY),
    ...(access === "open" ? [] : WITH_KEY),
    ...failures,
  ];
}

const bareType = (mediaType: string): string => mediaType.split(";")[0] ?? "";

/** The content of an answer: JSON with its schema, or text in one of a listing's media types. */
function contentOf(schema: z.ZodType, write: Write): Json {
  const textFormat = schema.meta()?.textFormat as TextFormat | undefined;
  if (textFormat !== undefined) return json(bareType(TEXT_TYPES[textFormat]), { type: "string" });
  const formats = schema.meta()?.listingFormats as readonly ListingFormat[] | undefined;
  if (formats === undefined) return json("application/json", write(schema, "output"));
  return Object.assign(
    {},
    ...formats.map((format) => json(bareType(LISTING_TYPES[format]), { type: "string" })),
  );
}

function responses(endpoint: Endpoint, write: Write): Json {
  const described: Json = {};
  for (const [outcome, schema] of Object.entries(endpoint.replies)) {
    const isEmpty = outcome === "deleted" || outcome === "accepted";
    const content = isEmpty ? {} : { content: contentOf(schema, write) };
    described[OUTCOME_STATUS[outcome as Outcome]] = { description: outcome, ...content };
  }
  for (const code of failuresOf(endpoint)) {
    described[FAILURE_STATUS[code]] ??= { $ref: `#/components/responses/${code}` };
  }
  return described;
}

const json = (type: string, schema: Json): Json => ({ [type]: { schema } });

function requestBody({ body, lines }: Endpoint, write: Write): Json {
  if (body === undefined) return {};
  const schema = write(documentedBatches.get(body) ?? body, "input");
  const ndjson = lines ? json("application/x-ndjson", { type: "string" }) : {};
  return { requestBody: { required: true, content: { ...json("application/json", schema), ...ndjson } } };
}

function parameters(place: "path" | "query", schema: z.ZodType | undefined, write: Write): Json[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = write(schema, "input") as {
    properties?: Json;
    required?: string[];
  };
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: place,
    required: place === "path" || required.includes(name),
    ...((property as Json).type === "object" ? { style: "deepObject", explode: true } : {}),
    schema: property,
  }));
}

const security = (access: Access): Json =>
  access === "open" ? { security: [] } : { security: [{ [access]: [] }] };

function operation(endpoint: Endpoint, write: Write): Json {
  const { name, summary, access, params, query } = endpoint;
  return {
    operationId: name,
    summary,
    ...security(access),
    parameters: [...parameters("path", params, write), ...parameters("query", query, write)],
    ...requestBody(endpoint, write),
    responses: responses(endpoint, write),
  };
}

function problems(): Json {
  return Object.fromEntries(
    Object.entries(REFUSAL_ADVICE).map(([code, description]) => [
      code,
      {
        description,
        content: json("application/problem+json", { $ref: "#/components/schemas/Problem" }),
      },
    ]),
  );
}

const key = (access: string): Json => ({
  type: "http",
  scheme: "bearer",
  description: `A key with ${access} access; an admin key has all. Not asked for where no keys are set.`,
});

const SHARE_SECRET: Json = {
  type: "http",
  scheme: "bearer",
  description:
    "The secret of a share link. It opens the page of its link and nothing else, with and without keys.",
};

/** The OpenAPI 3.1 document of the endpoints, computed from the schemas that they parse with. */
export function openApi(endpoints: readonly Endpoint[], version: string): OpenApi {
  const schemas: Json = { Problem: PROBLEM };
  const write = schemaWriter(schemas);
  const paths: Record<string, Json> = {};
  for (const endpoint of endpoints) {
    // OpenAPI has no parameter of several segments.
    const path = endpoint.path.replace("+}", "}");
    paths[path] = {
      ...paths[path],
      [endpoint.method.toLowerCase()]: operation(endpoint, write),
    };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Analytics Server",
      version,
      description: SUMMARY,
      license: { name: "MIT", identifier: "MIT" },
    },
    // The server that answers with this document.
    servers: [{ url: "/" }],
    paths,
    components: {
      schemas,
      responses: problems(),
      securitySchemes: { write: key("write"), read: key("read"), admin: key("admin"), share: SHARE_SECRET },
    },
  };
}

/** The endpoint that answers with the description of all endpoints, itself included. */
function describeApi(all: () => readonly Endpoint[]) {
  let document: OpenApi | undefined;
  return endpoint({
    name: "describeApi",
    method: "GET",
    path: "/apiv1/openapi.json",
    access: "open",
    summary: "This API as an OpenAPI 3.1 document",
    replies: { ok: z.looseObject({ openapi: z.string(), paths: z.record(z.string(), z.unknown()) }) },

    async handle(_request, { version }) {
      document ??= openApi(all(), version);
      return { outcome: "ok", body: document };
    },
  });
}

/** The endpoint that describes all endpoints to assistants, in the form of https://llmstxt.org. */
const describeBriefly = (all: () => readonly Endpoint[]) =>
  endpoint({
    name: "describeBriefly",
    method: "GET",
    path: "/llms.txt",
    access: "open",
    summary: "This API on one page of text, for assistants",
    sharesItsPath: true,
    replies: { ok: plainTextOf("markdown") },

    handle: async () => ({ outcome: "ok", body: new PlainText("markdown", llmsText(all())) }),
  });

/** The endpoints and two more, which describe them. They belong here because the descriptions are about HTTP. */
export function withDescription(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  const all: readonly Endpoint[] = [...endpoints, describeApi(() => all), describeBriefly(() => all)];
  return all;
}
