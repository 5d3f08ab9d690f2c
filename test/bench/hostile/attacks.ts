import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { BATCH as EVENTS_A_BATCH, event } from "../bodies.ts";
import { AUTHORIZED } from "../contenders/analytics-server.ts";

/** How one kind of hostile client behaves on each of its connections. */
export interface Attack {
  readonly name: string;
  readonly connections: number;
  /** The bytes that a connection sends, again and again. */
  readonly bytes: () => Buffer;
  /**
   * `asks` waits for each answer before it sends again, `floods` does not wait, `stalls` sends once and keeps the
   * connection, `never reads` sends and does not take the answers, `trickles` sends a byte now and then.
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

const squeezed = (target: string, body: string | Buffer, type = "application/json"): Buffer =>
  post(target, gzipSync(body), { ...GZIP, "content-type": type });

const times = (count: number, text: (n: number) => string, separator = ","): string =>
  Array.from({ length: count }, (_, n) => text(n)).join(separator);

/** Makes the bytes once: what is measured is the server, not this client. */
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

/** As many different keys as a batch may hold, in events that each may be stored. */
const wideBatch = (): string =>
  `[${times(190, (n) => `{"event_type":"a","properties":{${times(255, (m) => `"${key(255 * n + m)}":0`)}}}`)}]`;

const faultyBatch = (): string =>
  `[{"event_type":"a"},${times(160, () => `{"event_type":"a",${times(300, (m) => `"${key(m)}":0`)}}`)}]`;

const stalledUpload = (): Buffer =>
  Buffer.concat([
    request("POST", BATCH, { ...JSON_TYPE, "content-length": String(5 * MEBIBYTE) }),
    Buffer.alloc(4.9 * MEBIBYTE, " "),
  ]);

const inSingleBytes = (): Buffer =>
  Buffer.from(
    `POST ${BATCH} HTTP/1.1\r\nhost: localhost\r\nauthorization: ${AUTHORIZED.authorization}\r\n` +
      `content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n${"1\r\n \r\n".repeat(500_000)}`,
  );

const brotliBomb = (): Buffer =>
  brotliCompressSync(Buffer.alloc(64 * MEBIBYTE), { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } });

const get = (target: string): Buffer => request("GET", target);

const honestBatch = once(() => post(BATCH, `[${times(EVENTS_A_BATCH, event)}]`));

/** Clients of batches that take a refusal for an invitation to send the same again at once. */
export const batchClients = (connections: number): Attack => ({
  name: `${connections} clients of batches`,
  connections,
  bytes: honestBatch,
  manner: "asks",
});

export const ATTACKS: readonly Attack[] = [
  // Shows how noisy the machine is.
  asks("nobody", () => get("/health"), 0),
  asks("2.6 million lines in 5 KB", () => squeezed(BATCH, "{\n".repeat(2.6e6), "application/x-ndjson")),
  asks("millions of items", () => squeezed(BATCH, `[${"0,".repeat(2.6e6)}0]`)),
  asks("millions of levels", () => squeezed(BATCH, "[".repeat(5 * MEBIBYTE))),
  asks("half a million keys", () => post(BATCH, `[{${times(5e5, (n) => `"${key(n)}":0`)}}]`), 2),
  asks("the widest batch", () => squeezed(BATCH, wideBatch())),
  asks("64 MiB in 64 KB", () => post(BATCH, gzipSync(Buffer.alloc(64 * MEBIBYTE)), GZIP)),
  asks("64 MiB in 60 bytes", () => post(BATCH, brotliBomb(), { ...JSON_TYPE, "content-encoding": "br" })),
  asks("50,000 faults", () => squeezed(BATCH, faultyBatch())),
  asks("2,000 parameters", () => get(`/apiv1/events?${times(2_000, key, "&")}`), 16),
  asks("1,000 conditions", () => get(`/apiv1/events?${times(1_000, (n) => `where[${key(n)}]=1`, "&")}`), 16),
  asks("a funnel of conditions", () =>
    post(
      "/apiv1/events/funnel",
      `{"steps":[{"event_type":"a","where":{${times(40_000, (n) => `"${key(n)}":{}`)}}}]}`,
    ),
  ),
  asks("an experiment of variants", () =>
    post("/apiv1/ab-tests", `{"test_name":"t","variants":[${times(19_000, () => '{"weight":-1}')}]}`),
  ),
  { name: "a body in single bytes", connections: 8, bytes: once(inSingleBytes), manner: "asks" },
  {
    name: "answers nobody reads",
    connections: 30,
    bytes: once(() => Buffer.concat(Array(50).fill(get("/apiv1/openapi.json")))),
    manner: "never reads",
  },
  {
    name: "faults nobody reads",
    connections: 30,
    bytes: once(() => squeezed(BATCH, faultyBatch())),
    manner: "never reads",
  },
  {
    name: "exports nobody reads",
    connections: 30,
    bytes: once(() => get("/apiv1/events/export")),
    manner: "never reads",
  },
  { name: "stalled uploads", connections: 60, bytes: once(stalledUpload), manner: "stalls" },
  {
    name: "a byte now and then",
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
    name: "requests without end",
    connections: 8,
    bytes: once(() => Buffer.concat(Array(2_000).fill(get("/health")))),
    manner: "floods",
  },
  batchClients(400),
];
