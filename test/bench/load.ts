import autocannon from "autocannon";
import { cpuSeconds, type RunningChild } from "./processes.ts";
import { percentile, type Sample } from "./samples.ts";

const CONNECTIONS = 32;

export interface Load {
  readonly method?: "GET" | "POST";
  readonly path: string;
  readonly headers?: Record<string, string>;
  /** A body for the next request; each is another one. */
  readonly body?: () => string;
  /** How many at once; 32 where nothing is said. */
  readonly connections?: number;
  /** Requests count as this many operations. */
  readonly weight?: number;
}

/** What of autocannon's client is not in its types: the bytes that it sends next. */
interface RawClient {
  getRequestBuffer: () => Buffer;
}

/**
 * Makes the bytes of each request. Autocannon's own way to vary a body builds the whole request anew, which takes the
 * load generator longer than hello takes to answer: what was measured would be the load generator.
 */
function requestMaker(url: URL, { method = "POST", headers = {}, body = () => "" }: Load): () => Buffer {
  const lines = Object.entries({ host: url.host, "content-type": "application/json", ...headers });
  const head = `${method} ${url.pathname}${url.search} HTTP/1.1\r\n${lines.map((line) => `${line.join(": ")}\r\n`).join("")}`;
  return () => {
    const text = body();
    return Buffer.from(`${head}content-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
  };
}

/** Connections that each send the next request when the last one is answered. */
export async function loadServer(
  server: Pick<RunningChild, "url" | "pid">,
  load: Load,
  seconds: number,
): Promise<Sample> {
  const url = new URL(load.path, server.url);
  const cpuBefore = cpuSeconds(server.pid);
  const make = requestMaker(url, load);
  const milliseconds: number[] = [];
  const instance = autocannon(
    {
      url: url.href,
      connections: load.connections ?? CONNECTIONS,
      duration: seconds,
      setupClient: (client) => {
        (client as unknown as RawClient).getRequestBuffer = make;
      },
    },
    () => {},
  );
  instance.on("response", (_client, status, _bytes, duration) => {
    if (status < 300) milliseconds.push(duration);
  });
  const result = await new Promise<autocannon.Result>((resolve) => instance.on("done", resolve));
  if (result.errors + result.timeouts > 0)
    throw new Error(`connections to ${url} broke or were left waiting`);
  milliseconds.sort((a, b) => a - b);
  const operations = milliseconds.length * (load.weight ?? 1);
  return {
    rate: operations / result.duration,
    cpu: ((cpuSeconds(server.pid) - cpuBefore) / operations) * 1e6,
    p50: percentile(milliseconds, 0.5),
    p99: percentile(milliseconds, 0.99),
    refused: result.non2xx / (result.non2xx + milliseconds.length),
  };
}
