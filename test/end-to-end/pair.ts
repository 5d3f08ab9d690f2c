import { expect } from "vitest";
import { type Answer, ask, type Question } from "./client.ts";
import { JSON_REPLY } from "./rows.ts";
import { offlineServer, openFolder, plainServer, type Starter, type TestServer } from "./servers.ts";

const STARTERS = [offlineServer, plainServer] as const;

/** The plain server and serverless-offline, each with its own database. */
export interface Pair {
  urls(): string[];
  restart(): Promise<void>;
  close(): Promise<void>;
}

export async function startPair(variables: Record<string, string> = {}): Promise<Pair> {
  const folders = await Promise.all(STARTERS.map(openFolder));
  const startOne = (starter: Starter, index: number): Promise<TestServer> =>
    starter.start(folders[index]?.folder ?? "", variables);
  let servers = await Promise.all(STARTERS.map(startOne));
  const stop = () => Promise.all(servers.map((server) => server.stop()));
  return {
    urls: () => servers.map(({ url }) => url),
    async restart() {
      await stop();
      servers = await Promise.all(STARTERS.map(startOne));
    },
    async close() {
      await stop();
      await Promise.all(folders.map(({ remove }) => remove()));
    },
  };
}

const TIME = /"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"/g;

// Headers that differ between two answers of one server. All others are compared, and every byte of the body.
const OWN_OF_EACH_ANSWER = ["date", "x-request-id"];

export function comparable({ status, headers, body }: Answer): Answer {
  const kept = Object.entries(headers).filter(([name]) => !OWN_OF_EACH_ANSWER.includes(name));
  const masked = body.replace(TIME, '"<time>"').replace(/"elapsed_ms":\d+/, '"elapsed_ms":0');
  return { status, headers: withLengthOf(masked, body, Object.fromEntries(kept)), body: masked };
}

/** The elapsed time has one digit or two, so a correct length becomes the length of the masked body. */
function withLengthOf(masked: string, body: string, headers: Answer["headers"]): Answer["headers"] {
  const isRight = body !== "" && headers["content-length"] === String(Buffer.byteLength(body));
  return isRight ? { ...headers, "content-length": String(Buffer.byteLength(masked)) } : headers;
}

/**
 * Removes the headers that serverless-offline's HTTP framework adds to an answer: that it supports ranges and
 * compression, a type and a length for an empty body, and its timeout of idle connections, which cannot be configured.
 * Each is removed only if it has the value that is declared here.
 */
export function withoutFramework({ status, headers, body }: Answer): Answer {
  const {
    "accept-ranges": ranges,
    vary,
    "content-type": type,
    "content-length": length,
    "keep-alive": keepAlive,
    ...others
  } = headers;
  const varies = vary?.split(",").filter((name) => name.trim() !== "accept-encoding") ?? [];
  const isEmpty = body === "";
  return {
    status,
    headers: {
      ...others,
      ...(keepAlive === undefined ? {} : { "keep-alive": keepAlive.replace(/^timeout=5$/, "timeout=65") }),
      ...(ranges === undefined || ranges === "bytes" ? {} : { "accept-ranges": ranges }),
      ...(varies.length === 0 ? {} : { vary: varies.join(",") }),
      ...(type === undefined || (status === 204 && isEmpty && type === JSON_REPLY)
        ? {}
        : { "content-type": type }),
      ...(length === undefined || (isEmpty && length === "0") ? {} : { "content-length": length }),
    },
    body,
  };
}

/** The framework adds `vary: accept-encoding` to every answer, the plain server only to answers that depend on it. */
function withoutEncodings({ headers: { vary, ...headers }, ...answer }: Answer): Answer {
  const isOurs = vary !== undefined && vary !== "accept-encoding";
  return { ...answer, headers: isOurs ? { ...headers, vary } : headers };
}

/** Sends the same request to both servers, expects the same answer, and returns it. */
export async function sameAnswer(pair: Pair, act: (url: string) => Promise<Answer>): Promise<Answer> {
  const [offline, plain] = await Promise.all(pair.urls().map(act));
  if (offline === undefined || plain === undefined) throw new Error("Both servers must be running.");
  for (const { headers } of [offline, plain]) expect(headers["x-request-id"]).toMatch(/^[\w.-]{1,64}$/);
  expect(withoutFramework(comparable(offline))).toEqual(withoutEncodings(comparable(plain)));
  return comparable(plain);
}

export const askBoth = (pair: Pair, question: Question): Promise<Answer> =>
  sameAnswer(pair, (url) => ask(url, question));
