import { Logger } from "@aws-lambda-powertools/logger";
import type { LogEntry } from "./http/log-entry.ts";
import type { Settings } from "./settings.ts";

const LEVELS = { debug: "DEBUG", info: "INFO", warn: "WARN", error: "ERROR" } as const;

/** A line about the server itself, or with the fields of a request. */
export type LogLine = Pick<LogEntry, "level" | "message"> & Partial<LogEntry>;

/** Writes structured lines to standard output. A line below the level costs nothing. */
export function createLog({ logLevel }: Pick<Settings, "logLevel">): (line: LogLine) => void {
  const logger = new Logger({ serviceName: "analytics-server", logLevel: LEVELS[logLevel] });
  const order = Object.keys(LEVELS);
  const threshold = order.indexOf(logLevel);
  return ({ level, message, error, ...fields }) => {
    if (order.indexOf(level) < threshold) return;
    logger[level](message, error === undefined ? fields : { ...fields, error: asError(error) });
  };
}

const asError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)));
