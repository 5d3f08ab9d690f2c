import { onTestFinished } from "vitest";
import { createStaticFiles } from "../adapters/http/answers/files.ts";
import { createEdge, type Edge, type EdgeParts } from "../adapters/http/edge.ts";
import type { LogEntry } from "../adapters/http/log/log-entry.ts";
import type { HttpRequest, HttpResponse } from "../adapters/http/message.ts";
import { bodyTooLarge } from "../adapters/http/requests/body.ts";
import { readSettings, type Settings } from "../adapters/settings.ts";
import type { ExperimentCells } from "../domain/experiments/cells.ts";
import { PreparedResults } from "../domain/experiments/results/prepared-results.ts";
import { Failure, type Fault } from "../domain/failure.ts";
import type { Instant } from "../domain/time.ts";
import { Activity } from "../handlers/contract/activity/activity.ts";
import type { Endpoint, ProcessFigures, World } from "../handlers/contract/endpoint.ts";
import { endpoints } from "../handlers/contract/endpoints.ts";
import { faultsOf, invalid } from "../handlers/contract/faults.ts";
import { importAssignments } from "../handlers/experiments/assignments/import-assignments.ts";
import { createExperiment } from "../handlers/experiments/create-experiment.ts";
import { engine } from "./engine.ts";

/** The initial time of the clock in every test. */
export const NOW: Instant = Date.parse("2026-11-22T10:00:00.000Z");
export const MINUTE = 60_000;

export interface TestWorld extends World {
  /** Advances the clock. */
  advance(milliseconds: number): void;
}

/** Figures of a process, each of which can be told from the others. */
const PROCESS_FIGURES: ProcessFigures = {
  cpuSeconds: 12.5,
  residentBytes: 70_000_000,
  heapBytes: 20_000_000,
  startedAt: NOW,
  eventLoopActiveSeconds: 3.25,
};

/** A World with a real, empty storage, a stopped clock and sequential request ids. */
export function openWorld(overrides: Partial<World> = {}): TestWorld {
  let time = NOW;
  let ids = 0;
  const storage = overrides.storage ?? engine.open();
  if (overrides.storage === undefined) onTestFinished(() => storage.close());
  return {
    now: () => time,
    newId: () => {
      ids += 1;
      return `salt-${ids}`;
    },
    newSecret: () => {
      ids += 1;
      return `secret-${ids}`;
    },
    version: "1.2.3",
    prepared: new PreparedResults(),
    activity: new Activity(),
    processFigures: () => PROCESS_FIGURES,
    ...overrides,
    storage,
    advance: (milliseconds) => {
      time += milliseconds;
    },
  };
}

export interface Input {
  readonly params?: unknown;
  readonly query?: unknown;
  readonly body?: unknown;
  readonly minimal?: boolean;
  readonly secret?: string;
}

/** Calls an endpoint as the edge does: its schemas parse the input, and the refusal lists every fault. */
export function call<E extends Endpoint>(
  endpoint: E,
  world: World,
  { params, query = {}, body, minimal = false, secret }: Input = {},
): ReturnType<E["handle"]> {
  const faults: Fault[] = [];
  const read = (schema: E["params"], value: unknown): never => {
    const parsed = schema?.safeParse(value);
    if (parsed?.error) faults.push(...faultsOf(parsed.error));
    return parsed?.data as never;
  };
  const request = {
    params: read(endpoint.params, params),
    query: read(endpoint.query, query),
    body: read(endpoint.body, body),
    minimal,
    gone: () => new AbortController().signal,
    browser: async () => undefined,
    visitor: () => "visitor-of-today",
    secret,
    reachedAt: () => ({ host: "localhost:20000", scheme: "http" }),
  };
  const answer =
    faults.length > 0 ? Promise.reject(invalid("request", faults)) : endpoint.handle(request, world);
  return answer as ReturnType<E["handle"]>;
}

export interface Refusal {
  readonly code: string;
  readonly detail: string;
  readonly errors: readonly Fault[];
}

/** The refusal of a call. Fails if the call succeeds, or fails with another error. */
export async function refusalOf(answer: Promise<unknown>): Promise<Refusal> {
  const failure = await answer.then(
    (value) => {
      throw new Error(`The call was answered instead of refused: ${JSON.stringify(value)}`);
    },
    (error: unknown) => error,
  );
  if (!(failure instanceof Failure)) throw failure;
  return { code: failure.code, detail: failure.message, errors: failure.faults };
}

/** Code and fault paths of a refusal, for tables of refusals. */
export async function faultPathsOf(answer: Promise<unknown>): Promise<[string, ...string[]]> {
  const { code, errors } = await refusalOf(answer);
  return [code, ...errors.map(({ path }) => path)];
}

/** The example experiment of the specification. */
export const colours = {
  test_name: "homepage_button_color",
  description: "Testing different button colors on homepage",
  variants: [
    { variant_name: "red", description: "Red button", weight: 0.5 },
    { variant_name: "blue", description: "Blue button", weight: 0.5 },
  ],
};

/**
 * Creates the example experiment, with changes, as experiment 1 of an empty world, and assigns users to variants by
 * name.
 */
export async function withColours(
  world: World,
  { changes = {}, users = {} }: { changes?: object; users?: Record<string, string> } = {},
): Promise<void> {
  const { body } = await call(createExperiment, world, { body: { ...colours, ...changes } });
  const assignments = Object.entries(users).map(([user_id, variant]) => ({ user_id, variant }));
  if (assignments.length === 0) return;
  await call(importAssignments, world, { params: { test_id: String(body.test_id) }, body: assignments });
}

export interface TestRequest {
  readonly method?: string;
  /** Path with the query string. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Bytes and text are sent as they are, anything else as JSON. */
  readonly body?: unknown;
  readonly address?: string;
  /** Aborted when the client disconnects. */
  readonly gone?: AbortSignal;
}

export interface TestResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Parsed if it is JSON. */
  readonly body: unknown;
}

export interface TestEdge {
  readonly world: TestWorld;
  readonly logs: LogEntry[];
  /** The edge, for tests with a socket in front of it. */
  readonly edge: Edge;
  send(request: TestRequest): Promise<TestResponse>;
}

function bytesOf(body: unknown): Uint8Array {
  if (body === undefined) return new Uint8Array();
  if (body instanceof Uint8Array) return body;
  return Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
}

async function textOf(body: HttpResponse["body"]): Promise<string> {
  if (typeof body === "string") return body;
  if (body instanceof Uint8Array) return Buffer.from(body).toString();
  const pieces: string[] = [];
  for await (const piece of body) pieces.push(piece);
  return pieces.join("");
}

async function parsed({ headers, body }: HttpResponse): Promise<unknown> {
  const text = await textOf(body);
  return text !== "" && /\bjson\b/.test(headers["content-type"] ?? "") ? JSON.parse(text) : text;
}

const web = new URL("../web/", import.meta.url);

/** The whole edge without a socket, on a new world. Collects log entries. */
export function openEdge(
  settings: Partial<Settings> = {},
  overrides: Partial<World> = {},
  { maxAnswerBytes, files = createStaticFiles(web) }: Partial<EdgeParts> = {},
): TestEdge {
  const world = openWorld(overrides);
  const logs: LogEntry[] = [];
  const log = { shows: () => true, write: (entry: LogEntry): void => void logs.push(entry) };
  const edge = createEdge({
    endpoints,
    world,
    settings: { ...readSettings({}), ...settings },
    log,
    files,
    maxAnswerBytes,
  });

  async function send({
    method = "GET",
    path,
    headers,
    body,
    address = "127.0.0.1",
    gone = new AbortController().signal,
  }: TestRequest) {
    const mark = path.indexOf("?");
    const bytes = bytesOf(body);
    const asked: HttpRequest = {
      method,
      path: mark < 0 ? path : path.slice(0, mark),
      query: mark < 0 ? "" : path.slice(mark + 1),
      headers: { host: "localhost:20000", ...headers },
      read: (limit, take) => take(bytes.byteLength > limit ? bodyTooLarge(limit) : bytes),
      inTurn: (work) => work(undefined),
      address,
      requestId: "request-1",
      gone: () => gone,
    };
    const answer = await new Promise<HttpResponse>((resolve) => edge(asked, resolve));
    return { ...answer, body: await parsed(answer) };
  }

  return { world, logs, edge, send };
}

const coloursExperiment = {
  id: 1,
  test_name: "homepage_button_color",
  description: "Testing different button colors on homepage",
  status: "running",
  created_at: "2026-11-22T10:00:00.000Z",
  control: "red",
  traffic: 1,
  confidence_level: 0.95,
  planned_users: null,
  window_days: 0,
  planned_users_reached_at: null,
  stop_at: null,
  hypothesis: null,
  notes: null,
  decision: null,
  exclusion_group: null,
  holdout: null,
  stopped_at: null,
  winner: null,
  metrics: [],
  variants: [
    { id: 1, variant_name: "red", description: "Red button", weight: 0.5, is_control: true, value: "red" },
    {
      id: 2,
      variant_name: "blue",
      description: "Blue button",
      weight: 0.5,
      is_control: false,
      value: "blue",
    },
  ],
};

/** The example experiment as answers show it, with id 1, variants 1 and 2, and changes. Each variant has its share. */
export function coloursReply(changes: object = {}) {
  const reply = { ...coloursExperiment, ...changes };
  const sum = reply.variants.reduce((total, { weight }) => total + weight, 0);
  const variants = reply.variants.map((variant) => ({ ...variant, share: variant.weight / sum }));
  return { ...reply, variants };
}

/** The number of users in an experiment, over all variants. */
export const usersOf = (cells: ExperimentCells | undefined): number =>
  (cells?.cells ?? []).reduce((sum, { users }) => sum + users, 0);
