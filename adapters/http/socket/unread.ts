import type { ServerResponse } from "node:http";
import { createHolding, type Held } from "./holding.ts";

/** Answers that clients have not taken yet may hold this much memory together. */
const MAX_UNREAD_BYTES = 64 * 1024 * 1024;
// A client has this long to take what was sent, and longer for what is large: as long as a slow line needs for it.
const PATIENCE_MS = 30_000;
const BYTES_A_SECOND = 64 * 1024;
const LOOK_EVERY_MS = 1_000;

/** The answers, or pieces of them, that clients have not taken yet. */
export interface Unread {
  /** Watches what was just written, and destroys the connection if its client does not take it. */
  watch(response: ServerResponse): void;
  /** Fulfils when the client has taken what was written, or the connection has ended. */
  taken(response: ServerResponse): Promise<void>;
}

interface Watched extends Held {
  readonly deadline: number;
}

export function createUnread(): Unread {
  const holding = createHolding(MAX_UNREAD_BYTES);
  const watched = new Set<Watched>();
  let timer: NodeJS.Timeout | undefined;

  function dropOverdue(): void {
    const now = performance.now();
    for (const item of watched) if (item.deadline <= now) item.drop();
    if (watched.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  }

  function hold(response: ServerResponse, done: () => void): void {
    const bytes = response.writableLength;
    const since = performance.now();
    const item = {
      since,
      deadline: since + PATIENCE_MS + (1_000 * bytes) / BYTES_A_SECOND,
      drop: () => void response.destroy(),
    };
    const release = (): void => {
      watched.delete(item);
      holding.remove(item);
      response.off("drain", release).off("finish", release).off("close", release);
      done();
    };
    response.on("drain", release).on("finish", release).on("close", release);
    watched.add(item);
    timer ??= setInterval(dropOverdue, LOOK_EVERY_MS).unref();
    holding.hold(item, bytes);
  }

  return {
    watch(response) {
      // Nearly every answer has been taken by the operating system at once.
      if (response.writableLength > 0 && !response.destroyed) hold(response, () => {});
    },
    taken: (response) =>
      new Promise((resolve) => {
        if (response.destroyed) resolve();
        else hold(response, resolve);
      }),
  };
}
