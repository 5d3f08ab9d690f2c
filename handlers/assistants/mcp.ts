import { z } from "zod";
import type { Failure } from "../../domain/failure.ts";
import { type Endpoint, endpoint, type World } from "../contract/endpoint.ts";
import {
  failed,
  INTERNAL_ERROR,
  invalidParams,
  type Message,
  OLDER_REVISIONS,
  PARSE_ERROR,
  REFUSED,
  REVISION,
  Reply,
  type RpcError,
  readMessage,
  SERVER_INFO,
  Sent,
  UNKNOWN_METHOD,
} from "./protocol.ts";
import { type Caller, callTool, toolsOf } from "./tools.ts";

const NAME = "mcp";

const INSTRUCTIONS =
  "Answers questions about what users did and about A/B tests. Begin with listEventTypes or listExperiments. " +
  'Conditions are an object, such as {"country": "CH", "price": {"gte": 10}}. ' +
  "A figure that is null could not be computed; the answer says why.";

const LISTED_FOR_MS = 3_600_000;

type Tools = ReturnType<typeof toolsOf>;
type Result = Readonly<Record<string, unknown>>;
type Answered = { readonly result: Result } | { readonly error: RpcError };

interface Call {
  readonly message: Message;
  readonly isOlder: boolean;
  readonly tools: Tools;
  readonly caller: Caller;
  readonly world: World;
}

const serverInfo = ({ version }: World) => ({ name: "analytics-server", version });

const about = { capabilities: { tools: {} }, instructions: INSTRUCTIONS };

const cached = { ttlMs: LISTED_FOR_MS, cacheScope: "private" } as const;

/** Agrees on the version that the client asks for, or offers the newest of the older ones. */
function initialize({ message: { params }, world }: Call): Answered {
  const protocolVersion = OLDER_REVISIONS.find((version) => version === params?.protocolVersion);
  const result = {
    protocolVersion: protocolVersion ?? OLDER_REVISIONS[0],
    serverInfo: serverInfo(world),
    ...about,
  };
  return { result };
}

async function call({ message: { params }, tools, caller, world }: Call): Promise<Answered> {
  const tool = typeof params?.name === "string" ? tools.get(params.name) : undefined;
  if (tool === undefined) return { error: invalidParams("There is no tool of this name: see tools/list.") };
  const given = z
    .record(z.string(), z.unknown())
    .default({})
    .safeParse(params?.arguments ?? undefined);
  if (!given.success) return { error: invalidParams("arguments must be an object.") };
  return { result: { ...(await callTool(tool, given.data, caller, world)) } };
}

async function answer(asked: Call): Promise<Answered> {
  const { message, isOlder, tools } = asked;
  const { method } = message;
  if (method === "tools/call") return call(asked);
  if (method === "tools/list")
    return { result: { tools: [...tools.values()].map(({ definition }) => definition), ...cached } };
  if (method === "server/discover") return { result: { supportedVersions: [REVISION], ...about, ...cached } };
  if (isOlder && method === "initialize") return initialize(asked);
  if (isOlder && method === "ping") return { result: {} };
  return { error: UNKNOWN_METHOD };
}

/** Adds the fields of the current revision. Clients of older ones refuse fields that they do not know. */
const stamped = (result: Result, world: World): Result => ({
  resultType: "complete",
  ...result,
  _meta: { [SERVER_INFO]: serverInfo(world) },
});

/** Lists a refusal, as the edge does for formats that throw theirs. */
function noteRefusal({ message }: RpcError, { activity, now }: World): void {
  const refused = { endpoint: NAME, what: "request", code: "invalid", detail: message, faults: [] } as const;
  activity.refusals.note(refused, now());
}

const RPC_CODES: { readonly [code in Failure["code"]]?: number } = {
  invalid: PARSE_ERROR,
  internal: INTERNAL_ERROR,
  unavailable: INTERNAL_ERROR,
};

const refusalOf = ({ code, message }: Failure) => failed({ code: RPC_CODES[code] ?? REFUSED, message });

/** The endpoint for assistants: the read endpoints among these are its tools. */
export function assistants(endpoints: readonly Endpoint[]) {
  let made: Tools | undefined;
  return endpoint({
    name: NAME,
    method: "POST",
    path: "/mcp",
    access: "read",
    summary: "Model Context Protocol: the read endpoints as tools for assistants",
    sharesItsPath: true,
    foreign: { attributes: { prefix: "mcp-" }, refusal: refusalOf },
    query: z.looseObject({}),
    body: Sent.meta({ type: "object", description: "A JSON-RPC 2.0 request or notification." }),
    replies: { ok: Reply, accepted: z.undefined(), refused: Reply, unknown: Reply },

    async handle({ body, gone, reachedAt, browser, visitor }, world) {
      const read = readMessage(body);
      if ("error" in read) {
        noteRefusal(read.error, world);
        return { outcome: "refused", body: failed(read.error, read.id) };
      }
      const { message, isOlder } = read;
      if (message.id === undefined) return { outcome: "accepted", body: undefined };
      made ??= toolsOf(endpoints);
      const answered = await answer({
        message,
        isOlder,
        tools: made,
        caller: { gone, reachedAt, browser, visitor },
        world,
      });
      if ("error" in answered) {
        noteRefusal(answered.error, world);
        // To clients of older revisions an unknown path means that their session has ended.
        const outcome = !isOlder && answered.error === UNKNOWN_METHOD ? "unknown" : "ok";
        return { outcome, body: failed(answered.error, message.id) };
      }
      const result = isOlder ? answered.result : stamped(answered.result, world);
      return { outcome: "ok", body: { jsonrpc: "2.0" as const, id: message.id, result } };
    },
  });
}
