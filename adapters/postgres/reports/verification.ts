import { type Verification, verifyRollups } from "../../rollups/verification/verify.ts";
import type { ConnectionOptions } from "../connection.ts";
import { openDatabase } from "../database.ts";
import { inTurns, usableSnapshot } from "./questions.ts";
import { usabilityOf } from "./unbuilt-events.ts";
import { VisitorCache } from "./visitor-cache.ts";

// Millions of events take minutes.
const LIMIT_MS = 24 * 3_600_000;

/**
 * Compares the rollups of a database with its events, as of one moment; servers may be writing to it. Undefined while the
 * rollups are built, or a user is being erased.
 */
export async function verifyDatabase(
  url: string,
  options: ConnectionOptions,
  onProgress: (events: number) => void,
): Promise<Verification | undefined> {
  const database = openDatabase(url, options);
  const givenUp = new AbortController().signal;
  try {
    return await database.snapshot(
      async (query) => {
        const usability = await usabilityOf(query);
        if (usability.kind !== "usable") return undefined;
        const snapshot = await usableSnapshot(query, new VisitorCache(), usability, givenUp);
        return inTurns(verifyRollups(snapshot, onProgress), givenUp);
      },
      { givenUp, limitMs: LIMIT_MS },
    );
  } finally {
    await database.close();
  }
}
