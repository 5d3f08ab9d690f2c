import { z } from "zod";
import { Failure } from "../../domain/failure.ts";
import { asInAddress } from "../contract/addressed.ts";
import type { Endpoint, Request, World } from "../contract/endpoint.ts";
import { FaultList, unanswerable } from "../contract/faults.ts";
import { wording } from "../contract/wording.ts";

type Json = Readonly<Record<string, unknown>>;

/** A tool as a client lists it. */
interface Definition {
  readonly name: string;
  readonly description: string;
  readonly inputSchema: Json;
  readonly annotations: { readonly readOnlyHint: true; readonly openWorldHint: false };
}

/** A read endpoint as a tool. Its arguments are those of the path, the query and the body together. */
interface Tool {
  readonly endpoint: Endpoint;
  readonly definition: Definition;
  /** The names of the arguments that belong to the path. */
  readonly inPath: ReadonlySet<string>;
}

/** The parts of the request that a call passes on. */
export type Caller = Pick<Request<never, never, never>, "gone" | "reachedAt" | "browser" | "visitor">;

export interface Result {
  readonly content: readonly [{ readonly type: "text"; readonly text: string }];
  readonly isError: boolean;
}

/** About 50,000 tokens: more would fill what an assistant can hold. */
const MAX_TEXT = 200_000;

const answersJson = ({ replies }: Endpoint): boolean =>
  Object.values(replies).every((reply) => {
    const { listingFormats, textFormat } = reply.meta() ?? {};
    return listingFormats === undefined && textFormat === undefined;
  });

interface ObjectSchema {
  readonly properties: Json;
  readonly required: readonly string[];
  readonly $defs: Json;
}

/** The schema of an object as JSON, with its own name resolved. */
function objectSchema(schema: z.ZodType | undefined): ObjectSchema {
  if (schema === undefined) return { properties: {}, required: [], $defs: {} };
  const written: Json = { ...z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) };
  const $defs = Object(written.$defs);
  const { properties = {}, required = [] } =
    typeof written.$ref === "string" ? $defs[written.$ref.slice("#/$defs/".length)] : Object(written);
  return { properties, required, $defs };
}

function toolOf(endpoint: Endpoint): Tool {
  const path = objectSchema(endpoint.params);
  const parts = [path, objectSchema(endpoint.query), objectSchema(endpoint.body)];
  const inputSchema = {
    type: "object",
    properties: Object.assign({}, ...parts.map(({ properties }) => properties)),
    required: parts.flatMap(({ required }) => required),
    additionalProperties: false,
    $defs: Object.assign({}, ...parts.map(({ $defs }) => $defs)),
  };
  const annotations = { readOnlyHint: true, openWorldHint: false } as const;
  const definition = { name: endpoint.name, description: endpoint.summary, inputSchema, annotations };
  return { endpoint, definition, inPath: new Set(Object.keys(path.properties)) };
}

/** The tools that the read endpoints make, by their names. */
export const toolsOf = (endpoints: readonly Endpoint[]): ReadonlyMap<string, Tool> =>
  new Map(
    endpoints
      .filter((endpoint) => endpoint.access === "read" && answersJson(endpoint))
      .map((endpoint) => [endpoint.name, toolOf(endpoint)]),
  );

const NoArguments = z.strictObject({});

function parse(schema: z.ZodType | undefined, value: unknown, faults: FaultList): never {
  const parsed = schema?.safeParse(value, { error: wording });
  if (parsed?.error) faults.addIssues(parsed.error);
  return parsed?.data as never;
}

/** Parses arguments by the schemas of the endpoint, as its own requests are. */
function requestOf({ endpoint, inPath }: Tool, given: Json, caller: Caller): Request<never, never, never> {
  const entries = Object.entries(given);
  const addressed = entries.map(([name, value]) => [name, asInAddress(value)] as const);
  const beside = (isTaken: boolean) =>
    Object.fromEntries(addressed.filter(([name]) => inPath.has(name) === isTaken));
  const faults = new FaultList();
  const { body } = endpoint;
  const query = body === undefined ? (endpoint.query ?? NoArguments) : undefined;
  const request = {
    params: parse(endpoint.params, beside(true), faults),
    query: parse(query, beside(false), faults),
    body: parse(body, Object.fromEntries(entries.filter(([name]) => !inPath.has(name))), faults),
    minimal: false,
    secret: undefined,
    ...caller,
  };
  if (faults.count > 0) throw unanswerable("call", faults.listed, faults.more);
  return request;
}

const resultOf = (text: string, isError: boolean): Result => ({ content: [{ type: "text", text }], isError });

/** A refusal that the assistant reads, so that it can ask in another way. */
const refusalOf = ({ code, message, faults }: Failure): Result =>
  resultOf(JSON.stringify({ code, detail: message, errors: faults }), true);

const tooLong = (length: number): Failure =>
  new Failure(
    "too_large",
    `The answer has ${length} characters, and a tool answers at most ${MAX_TEXT}: ask for a shorter range, fewer groups or a lower limit.`,
  );

/** Calls a tool. A refusal of the endpoint is a result; a defect of the server is thrown. */
export async function callTool(tool: Tool, given: Json, caller: Caller, world: World): Promise<Result> {
  try {
    const { body, json } = await tool.endpoint.handle(requestOf(tool, given, caller), world);
    const text = json ?? JSON.stringify(body);
    if (text.length > MAX_TEXT) throw tooLong(text.length);
    return resultOf(text, false);
  } catch (error) {
    if (error instanceof Failure) return refusalOf(error);
    throw error;
  }
}
