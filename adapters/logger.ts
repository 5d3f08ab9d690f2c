import { Logger } from "@aws-lambda-powertools/logger";
import { once } from "../domain/once.ts";
import type { Log, LogEntry } from "./http/log/log-entry.ts";
import type { Settings } from "./settings.ts";

const LEVELS = { debug: "DEBUG", info: "INFO", warn: "WARN", error: "ERROR" } as const;

/** A line about the server itself, or with the fields of a request. */
export type LogLine = Pick<LogEntry, "level" | "message"> & Partial<LogEntry>;

export interface ServerLog extends Log {
  write(line: LogLine): void;
}

/** Writes structured lines to standard output, warnings and errors to standard error. A line below the level costs nothing. */
export function createLog({ logLevel }: Pick<Settings, "logLevel">): ServerLog {
  const logger = once(() => new Logger({ serviceName: "analytics-server", logLevel: LEVELS[logLevel] }));
  const order = Object.keys(LEVELS);
  const shown = new Set(order.slice(order.indexOf(logLevel)));
  return {
    shows: (level) => shown.has(level),
    write({ level, message, error, ...fields }) {
      if (!shown.has(level)) return;
      logger()[level](message, error === undefined ? fields : { ...fields, error: asError(error) });
    },
  };
}

const asError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)));
