import { Failure } from "../../../domain/failure.ts";
import type { HttpRequest } from "../message.ts";
import type { Target } from "../router.ts";

/** One line of log. */
export interface LogEntry {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly message: string;
  readonly request_id: string;
  readonly method: string;
  /** Cut where it is long. */
  readonly path: string;
  readonly status: number;
  readonly duration_ms: number;
  readonly code?: string;
  /** The cause of an expected failure, in one line. */
  readonly reason?: string;
  /** A defect, which is logged with its stack. */
  readonly error?: unknown;
  /** How many lines of this level were left out before this one. */
  readonly not_logged?: number;
}

export interface Log {
  /** Whether lines of this level are written at all. */
  shows(level: LogEntry["level"]): boolean;
  write(entry: LogEntry): void;
}

const MAX_PATH_CHARACTERS = 200;
const MAX_REASON_CHARACTERS = 500;

const cut = (text: string, characters: number): string =>
  text.length > characters ? `${text.slice(0, characters)}…` : text;

/**
 * The level of a request's line. Successful writes and health checks are for debugging only: a line costs more than
 * storing an event. An overload is a warning; a storage that fails is an error.
 */
function levelOf(
  status: number,
  target: Target | undefined,
  failure: unknown,
  isAbandoned: boolean,
): LogEntry["level"] {
  if (isAbandoned) return "info";
  const isOverload =
    failure instanceof Failure && failure.code === "unavailable" && failure.cause === undefined;
  if (status >= 500) return isOverload ? "warn" : "error";
  if (status >= 400) return "warn";
  const { access } = target ?? {};
  return access === "read" || access === "admin" || access === "share" ? "info" : "debug";
}

/** A request and its answer. */
export interface Exchange {
  readonly request: HttpRequest;
  readonly target: Target | undefined;
  readonly status: number;
  /** The error that the request was refused for, if any. */
  readonly failure: unknown;
  readonly durationMs: number;
}

/** The line of one request; undefined where its level is not shown, which then costs nothing. */
export function entryOf(
  { request, target, status, failure, durationMs }: Exchange,
  shows: Log["shows"],
): LogEntry | undefined {
  // A report that was given up because its client left is not a failure.
  const isAbandoned = failure instanceof Failure && failure.code === "unavailable" && request.gone().aborted;
  const level = levelOf(status, target, failure, isAbandoned);
  if (!shows(level)) return undefined;
  const { requestId, method, path } = request;
  return {
    level,
    message: target?.name ?? (method === "OPTIONS" ? "options" : "no endpoint"),
    request_id: requestId,
    method: cut(method, MAX_PATH_CHARACTERS),
    path: cut(path, MAX_PATH_CHARACTERS),
    status,
    duration_ms: Math.round(durationMs * 100) / 100,
    ...reasonOf(failure),
  };
}

/** A failure is expected, and logged with its code and cause in one line; anything else is a defect, with its stack. */
function reasonOf(thrown: unknown): Pick<LogEntry, "code" | "reason" | "error"> {
  if (thrown === undefined) return {};
  if (!(thrown instanceof Failure)) return { error: thrown };
  const { code, cause } = thrown;
  return cause === undefined ? { code } : { code, reason: reasonText(cause) };
}

function reasonText(cause: unknown): string {
  if (!(cause instanceof Error)) return cut(String(cause), MAX_REASON_CHARACTERS);
  const code = "code" in cause ? `${String(cause.code)}: ` : "";
  return cut(code + cause.message, MAX_REASON_CHARACTERS);
}

/** Passes on the pieces of a stream, and reports where it breaks off: with an error, or because its reader left. */
export async function* watched(
  pieces: AsyncIterable<string>,
  report: (error: unknown) => void,
): AsyncGenerator<string> {
  let isOver = false;
  try {
    yield* pieces;
    isOver = true;
  } catch (error) {
    isOver = true;
    report(error);
    throw error;
  } finally {
    if (!isOver) report(undefined);
  }
}

/** The second line of a stream that broke off. Its status was sent before, and stays in the line. */
export function brokenOff(exchange: Exchange): LogEntry | undefined {
  const entry = entryOf(exchange, () => true);
  if (entry === undefined) return undefined;
  const { error, ...others } = entry;
  const message = `${entry.message} broke off`;
  // A client that leaves in the middle of an export is not a failure, and the error says no more than that.
  if (exchange.request.gone().aborted) return { ...others, level: "info", message };
  return { ...others, level: "error", message, ...(error === undefined ? {} : { error }) };
}
