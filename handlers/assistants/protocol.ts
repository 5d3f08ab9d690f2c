import { z } from "zod";

// Model Context Protocol over Streamable HTTP: https://modelcontextprotocol.io/specification/2026-07-28

/** The revision without sessions: each request says its version and what its client can do. */
export const REVISION = "2026-07-28";

/** Older revisions, which agree on a version by `initialize` first. */
export const OLDER_REVISIONS = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"] as const;

const PREFIX = "io.modelcontextprotocol/";
const VERSION = `${PREFIX}protocolVersion`;
const CAPABILITIES = `${PREFIX}clientCapabilities`;
export const SERVER_INFO = `${PREFIX}serverInfo`;

const Id = z.union([z.string(), z.number()]);

const Params = z.looseObject({ _meta: z.record(z.string(), z.unknown()).optional() });

const Message = z.looseObject({
  jsonrpc: z.literal("2.0"),
  /** Absent in a notification, which has no answer. */
  id: Id.optional(),
  method: z.string(),
  params: Params.optional(),
});
export type Message = z.infer<typeof Message>;

/** A message, and the parts of it that the client repeats for proxies that do not read bodies. */
export const Sent = z.object({
  data: z.unknown(),
  "protocol-version": z.string().optional(),
  method: z.string().optional(),
  name: z.string().optional(),
});
export type Sent = z.infer<typeof Sent>;

export const RpcError = z.strictObject({
  code: z.int(),
  message: z.string(),
  data: z.unknown().optional(),
});
export type RpcError = z.infer<typeof RpcError>;

export const Reply = z.union([
  z.strictObject({
    jsonrpc: z.literal("2.0"),
    id: Id,
    result: z.looseObject({}),
  }),
  z.strictObject({ jsonrpc: z.literal("2.0"), id: Id.optional(), error: RpcError }),
]);

export const failed = (error: RpcError, id?: z.infer<typeof Id>) => ({
  jsonrpc: "2.0" as const,
  ...(id === undefined ? {} : { id }),
  error,
});

export const PARSE_ERROR = -32700;
export const INTERNAL_ERROR = -32603;
/** Of this server's own: the request was refused before its message was read. */
export const REFUSED = -32000;

export const invalidParams = (message: string): RpcError => ({ code: -32602, message });
export const UNKNOWN_METHOD: RpcError = {
  code: -32601,
  message: "There is no method of this name here: see server/discover.",
};
const invalidRequest = (message: string): RpcError => ({ code: -32600, message });
const mismatch = (message: string): RpcError => ({ code: -32020, message });
const unsupported = (requested: string): RpcError => ({
  code: -32022,
  message: "Unsupported protocol version",
  data: { supported: [REVISION], requested: requested.slice(0, 100) },
});

/** A message that can be answered, and whether its client speaks an older revision; or why it cannot. */
export type Read =
  | { readonly message: Message; readonly isOlder: boolean }
  | { readonly error: RpcError; readonly id?: string | number | undefined };

export function readMessage({ data, ...beside }: Sent): Read {
  if (Array.isArray(data))
    return { error: invalidRequest("Send one message at a time: there are no batches.") };
  const { data: message } = Message.safeParse(data);
  if (message === undefined)
    return { error: invalidRequest("The body is no JSON-RPC 2.0 request or notification.") };
  const claimed = message.params?._meta?.[VERSION];
  const isOlder = claimed === undefined && isOlderVersion(beside["protocol-version"]);
  // A notification need not repeat anything.
  const error = isOlder || message.id === undefined ? undefined : faultOf(message, claimed, beside);
  return error === undefined ? { message, isOlder } : { error, id: message.id };
}

/** The version that a client of an older revision may say; the first ones said none. */
const isOlderVersion = (version: string | undefined): boolean =>
  version === undefined || OLDER_REVISIONS.some((older) => older === version);

function faultOf(message: Message, claimed: unknown, beside: Omit<Sent, "data">): RpcError | undefined {
  const { "protocol-version": said } = beside;
  if (claimed === undefined && said !== undefined && said !== REVISION) return unsupported(said);
  if (typeof claimed !== "string") return invalidParams(`params._meta needs ${VERSION}.`);
  if (said !== claimed) return mismatch("MCP-Protocol-Version has to be the version in params._meta.");
  if (claimed !== REVISION) return unsupported(claimed);
  const capabilities = message.params?._meta?.[CAPABILITIES];
  if (typeof capabilities !== "object" || capabilities === null)
    return invalidParams(`params._meta needs ${CAPABILITIES}.`);
  if (beside.method !== message.method) return mismatch("Mcp-Method has to be the method of the message.");
  if (message.method === "tools/call" && decoded(beside.name) !== message.params?.name)
    return mismatch("Mcp-Name has to be the name of the tool.");
  return undefined;
}

const BASE64 = /^=\?base64\?(.*)\?=$/;

/** A value that is no plain ASCII is sent as base64. */
function decoded(value: string | undefined): string | undefined {
  const [, coded] = BASE64.exec(value ?? "") ?? [];
  if (coded === undefined) return value;
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(coded), (character) => character.charCodeAt(0)));
  } catch {
    return undefined;
  }
}
