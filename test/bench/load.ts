import autocannon from "autocannon";
import { cpuSeconds, type RunningChild } from "./processes.ts";
import { percentile, type Sample } from "./samples.ts";

const CONNECTIONS = 32;

export interface Load {
  readonly method?: "GET" | "POST";
  readonly path: string;
  readonly headers?: Record<string, string>;
  /** Returns the body of the next request. */
  readonly body?: () => string;
  /** Concurrent connections. Default: 32. */
  readonly connections?: number;
  /** Requests a second over all connections. Default: as many as are answered. */
  readonly rate?: number;
  /** Operations per request. Default: 1. */
  readonly weight?: number;
}

/** A method of autocannon's client that its types leave out: it returns the bytes to send next. */
interface RawClient {
  getRequestBuffer: () => Buffer;
}

/**
 * Builds the bytes of each request. Autocannon's own API for varying bodies rebuilds the whole request, which takes
 * longer than hello takes to answer, so the benchmark would measure the load generator.
 */
function requestMaker(url: URL, { method = "POST", headers = {}, body = () => "" }: Load): () => Buffer {
  const lines = Object.entries({ host: url.host, "content-type": "application/json", ...headers });
  const head = `${method} ${url.pathname}${url.search} HTTP/1.1\r\n${lines.map((line) => `${line.join(": ")}\r\n`).join("")}`;
  return () => {
    const text = body();
    return Buffer.from(`${head}content-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
  };
}

type Loaded = Pick<RunningChild, "url" | "pid">;

/** The answers on all connections to one process. */
interface Answers {
  /** Duration of each successful request. */
  readonly milliseconds: readonly number[];
  readonly refused: number;
  readonly seconds: number;
}

/** Sends requests over several connections. Each connection sends the next request after the previous answer. */
async function sendRequests(url: URL, load: Load, connections: number, seconds: number): Promise<Answers> {
  const make = requestMaker(url, load);
  const milliseconds: number[] = [];
  const instance = autocannon(
    {
      url: url.href,
      connections,
      duration: seconds,
      ...(load.rate === undefined ? {} : { overallRate: load.rate }),
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
  if (result.errors + result.timeouts > 0) throw new Error(`Connections to ${url} failed or timed out.`);
  return { milliseconds, refused: result.non2xx, seconds: result.duration };
}

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

const cpuOf = (servers: readonly Loaded[]): number => sumOf(servers.map(({ pid }) => cpuSeconds(pid)));

/** Spreads the load evenly over several processes, and sums up their answers as one sample. */
export async function loadServers(servers: readonly Loaded[], load: Load, seconds: number): Promise<Sample> {
  const connections = (load.connections ?? CONNECTIONS) / servers.length;
  const cpuBefore = cpuOf(servers);
  const answers = await Promise.all(
    servers.map(({ url }) => sendRequests(new URL(load.path, url), load, connections, seconds)),
  );
  const cpu = cpuOf(servers) - cpuBefore;
  const weight = load.weight ?? 1;
  const milliseconds = answers.flatMap((one) => one.milliseconds).sort((a, b) => a - b);
  const refused = sumOf(answers.map((one) => one.refused));
  return {
    rate: weight * sumOf(answers.map((one) => one.milliseconds.length / one.seconds)),
    cpu: (cpu / (weight * milliseconds.length)) * 1e6,
    p50: percentile(milliseconds, 0.5),
    p99: percentile(milliseconds, 0.99),
    refused: refused / (refused + milliseconds.length),
  };
}

export const loadServer = (server: Loaded, load: Load, seconds: number): Promise<Sample> =>
  loadServers([server], load, seconds);
