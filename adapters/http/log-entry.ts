import { Failure } from "../../domain/failure.ts";
import type { HttpRequest, HttpResponse } from "./message.ts";
import type { Target } from "./router.ts";

/** One line of log a request. */
export interface LogEntry {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly message: string;
  readonly request_id: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly duration_ms: number;
  readonly code?: string;
  readonly error?: unknown;
}

// A line costs more than storing an event does: what succeeded in writing, or in asking whether it may be written, is
// worth one only to who debugs.
function levelOf(status: number, target: Target | undefined, isAbandoned: boolean): LogEntry["level"] {
  if (isAbandoned) return "info";
  if (status >= 500) return "error";
  if (status >= 400) return "warn";
  return target?.access === "read" || target?.access === "admin" ? "info" : "debug";
}

/** The line of a request that was answered, or refused for what was thrown. */
export function entryOf(
  { requestId, method, path, gone }: HttpRequest,
  { status }: HttpResponse,
  target: Target | undefined,
  failure: unknown,
  duration: number,
): LogEntry {
  // What was given up because nobody waited for it is no trouble of ours.
  const isAbandoned = failure instanceof Failure && failure.code === "unavailable" && gone().aborted;
  return {
    level: levelOf(status, target, isAbandoned),
    message: target?.name ?? (method === "OPTIONS" ? "options" : "no endpoint"),
    request_id: requestId,
    method,
    path,
    status,
    duration_ms: Math.round(duration * 100) / 100,
    ...reasonOf(failure),
  };
}

/** What a line says of what was thrown: a failure's code and cause, or the thing itself. */
function reasonOf(thrown: unknown): Pick<LogEntry, "code" | "error"> {
  const error = thrown instanceof Failure ? thrown.cause : thrown;
  return {
    ...(thrown instanceof Failure ? { code: thrown.code } : {}),
    ...(error === undefined ? {} : { error }),
  };
}

/** Passes pieces on, and says where they broke off: the request's own line was written before the first of them. */
export async function* watched(
  pieces: AsyncIterable<string>,
  say: (error: unknown) => void,
): AsyncGenerator<string> {
  try {
    yield* pieces;
  } catch (error) {
    say(error);
    throw error;
  }
}

/** One more line for an answer that began well. Its status has been sent, and stays what it was. */
export function brokenOff({ gone }: HttpRequest, { error, ...entry }: LogEntry): LogEntry {
  const message = `${entry.message} broke off`;
  // Who hangs up in the middle of an export has seen enough of it, and the stack of that tells nobody anything.
  if (gone().aborted) return { ...entry, level: "info", message };
  return { ...entry, level: "error", message, ...(error === undefined ? {} : { error }) };
}
