import Sqlite from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { asFailure, reading } from "../../../adapters/sqlite/failures.ts";
import { Failure } from "../../../domain/failure.ts";

const STORING = "The storage cannot take this now; nothing was stored. Send it again.";
const ASKING = "The storage cannot be read now. Ask again in a moment.";

describe("what is wrong with the disk or its lock", () => {
  test.each(["SQLITE_BUSY_SNAPSHOT", "SQLITE_LOCKED", "SQLITE_IOERR_READ", "SQLITE_CORRUPT", "SQLITE_FULL"])(
    "is told to who stores and to who asks, each in words of his own: %s",
    async (code) => {
      const cause = new Sqlite.SqliteError("in /var/secret", code);
      const failure = (detail: string) => new Failure("unavailable", detail, { retryAfterSeconds: 1, cause });
      expect(asFailure(cause, "write")).toEqual(failure(STORING));
      expect(asFailure(cause, "read")).toEqual(failure(ASKING));
      await expect(
        reading(() => {
          throw cause;
        }),
      ).rejects.toEqual(failure(ASKING));
    },
  );
});

test.each([new Sqlite.SqliteError("no such column", "SQLITE_ERROR"), new TypeError("ours"), undefined])(
  "a defect stays what it is: %s",
  (error) => {
    expect(asFailure(error, "write")).toBe(error);
    expect(asFailure(error, "read")).toBe(error);
  },
);
