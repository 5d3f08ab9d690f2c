import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { BATCH as EVENTS_A_BATCH, event } from "../bodies.ts";
import { AUTHORIZED } from "../contenders/analytics-server.ts";

/** How one kind of hostile client behaves on each of its connections. */
export interface Attack {
  readonly name: string;
  readonly connections: number;
  /** The bytes that a connection sends repeatedly. */
  readonly bytes: () => Buffer;
  /**
   * `asks` waits for each answer before it sends again. `floods` does not wait. `stalls` sends once and keeps the
   * connection open. `never reads` does not read the answers. `trickles` sends one byte every 100 ms.
   */
  readonly manner: "asks" | "floods" | "stalls" | "never reads" | "trickles";
}

const MEBIBYTE = 1024 * 1024;
const BATCH = "/apiv1/events/batch";
const JSON_TYPE = { "content-type": "application/json" };
const GZIP = { ...JSON_TYPE, "content-encoding": "gzip" };

function request(
  method: string,
  target: string,
  headers: Record<string, string> = {},
  body: string | Buffer = "",
): Buffer {
  const all = { host: "localhost", ...AUTHORIZED, "content-length": Buffer.byteLength(body), ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `${method} ${target} HTTP/1.1\r\n${lines.join("")}\r\n`;
  return Buffer.concat([Buffer.from(head), Buffer.from(body)]);
}

const post = (target: string, body: string | Buffer, headers: Record<string, string> = JSON_TYPE): Buffer =>
  request("POST", target, headers, body);

const gzipped = (target: string, body: string | Buffer, type = "application/json"): Buffer =>
  post(target, gzipSync(body), { ...GZIP, "content-type": type });

const times = (count: number, text: (n: number) => string, separator = ","): string =>
  Array.from({ length: count }, (_, n) => text(n)).join(separator);

/** Builds the bytes once, because the cost of the client must not affect the measurement. */
function once(make: () => Buffer): () => Buffer {
  let made: Buffer | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

const asks = (name: string, make: () => Buffer, connections = 8): Attack => ({
  name,
  connections,
  bytes: once(make),
  manner: "asks",
});

const key = (n: number): string => n.toString(36);

/** The maximum number of distinct keys in a batch of valid events. */
const wideBatch = (): string =>
  `[${times(190, (n) => `{"event_type":"a","properties":{${times(255, (m) => `"${key(255 * n + m)}":0`)}}}`)}]`;

const faultyBatch = (): string =>
  `[{"event_type":"a"},${times(160, () => `{"event_type":"a",${times(300, (m) => `"${key(m)}":0`)}}`)}]`;

const stalledUpload = (): Buffer =>
  Buffer.concat([
    request("POST", BATCH, { ...JSON_TYPE, "content-length": String(5 * MEBIBYTE) }),
    Buffer.alloc(4.9 * MEBIBYTE, " "),
  ]);

const inOneByteChunks = (): Buffer =>
  Buffer.from(
    `POST ${BATCH} HTTP/1.1\r\nhost: localhost\r\nauthorization: ${AUTHORIZED.authorization}\r\n` +
      `content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n${"1\r\n \r\n".repeat(500_000)}`,
  );

const brotliBomb = (): Buffer =>
  brotliCompressSync(Buffer.alloc(64 * MEBIBYTE), { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } });

const get = (target: string): Buffer => request("GET", target);

const validBatch = once(() => post(BATCH, `[${times(EVENTS_A_BATCH, event)}]`));

/** Clients that send batches and retry immediately after a refusal. */
export const batchClients = (connections: number): Attack => ({
  name: `${connections} batch clients`,
  connections,
  bytes: validBatch,
  manner: "asks",
});

export const ATTACKS: readonly Attack[] = [
  // A baseline for the noise of the machine.
  asks("no attackers", () => get("/health"), 0),
  asks("2.6 million lines in 5 KB", () => gzipped(BATCH, "{\n".repeat(2.6e6), "application/x-ndjson")),
  asks("millions of items", () => gzipped(BATCH, `[${"0,".repeat(2.6e6)}0]`)),
  asks("millions of nesting levels", () => gzipped(BATCH, "[".repeat(5 * MEBIBYTE))),
  asks("half a million keys", () => post(BATCH, `[{${times(5e5, (n) => `"${key(n)}":0`)}}]`), 2),
  asks("the widest batch", () => gzipped(BATCH, wideBatch())),
  asks("64 MiB in 64 KB", () => post(BATCH, gzipSync(Buffer.alloc(64 * MEBIBYTE)), GZIP)),
  asks("5 MB of spaces in 5 KB", () => gzipped(BATCH, " ".repeat(5e6)), 200),
  asks("64 MiB in 60 bytes", () => post(BATCH, brotliBomb(), { ...JSON_TYPE, "content-encoding": "br" })),
  asks("50,000 faults", () => gzipped(BATCH, faultyBatch())),
  asks("2,000 parameters", () => get(`/apiv1/events?${times(2_000, key, "&")}`), 16),
  asks("1,000 conditions", () => get(`/apiv1/events?${times(1_000, (n) => `where[${key(n)}]=1`, "&")}`), 16),
  asks("a funnel with 40,000 conditions", () =>
    post(
      "/apiv1/events/funnel",
      `{"steps":[{"event_type":"a","where":{${times(40_000, (n) => `"${key(n)}":{}`)}}}]}`,
    ),
  ),
  asks("an experiment with 19,000 variants", () =>
    post("/apiv1/ab-tests", `{"test_name":"t","variants":[${times(19_000, () => '{"weight":-1}')}]}`),
  ),
  { name: "a body in one-byte chunks", connections: 8, bytes: once(inOneByteChunks), manner: "asks" },
  {
    name: "unread answers",
    connections: 30,
    bytes: once(() => Buffer.concat(Array(50).fill(get("/apiv1/openapi.json")))),
    manner: "never reads",
  },
  {
    name: "unread error lists",
    connections: 30,
    bytes: once(() => gzipped(BATCH, faultyBatch())),
    manner: "never reads",
  },
  {
    name: "unread exports",
    connections: 30,
    bytes: once(() => get("/apiv1/events/export")),
    manner: "never reads",
  },
  { name: "stalled uploads", connections: 60, bytes: once(stalledUpload), manner: "stalls" },
  {
    name: "a byte every 100 ms",
    connections: 200,
    bytes: once(() => post("/apiv1/events", " ".repeat(1_000))),
    manner: "trickles",
  },
  {
    name: "unknown paths of 15 KB",
    connections: 8,
    bytes: once(() => Buffer.concat(Array(20).fill(get(`/${"x".repeat(15_000)}`)))),
    manner: "asks",
  },
  {
    name: "a flood of pipelined requests",
    connections: 8,
    bytes: once(() => Buffer.concat(Array(2_000).fill(get("/health")))),
    manner: "floods",
  },
  batchClients(400),
];
