import { useEffect, useRef, useState } from "preact/hooks";
import type { EventReply } from "../../../domain/reports/event-list.ts";
import { listEvents } from "../access/api.ts";
import type { Changes } from "../address.ts";

const EVERY_MS = 4_000;

/** Those of the newest events that are not shown yet, newest first. */
export function newOnes(newest: readonly EventReply[], shown: readonly EventReply[]): EventReply[] {
  const known = new Set(shown.map(({ id }) => id));
  return newest.filter(({ id }) => !known.has(id));
}

/**
 * Looks every few seconds what has come in, while somebody can see it. Nothing that is read moves: what is new waits
 * until it is asked for.
 */
export function useLiveEvents(query: Changes, shown: readonly EventReply[]): readonly EventReply[] {
  const [waiting, setWaiting] = useState<readonly EventReply[]>([]);
  const latest = useRef({ query, shown });
  latest.current = { query, shown };
  useEffect(() => {
    let looking = false;
    const look = async (): Promise<void> => {
      if (document.hidden || looking) return;
      looking = true;
      // What fails now may succeed in a moment; the list itself has said what is wrong for longer.
      const page = await listEvents(latest.current.query, { quiet: true }).catch(() => undefined);
      looking = false;
      if (page !== undefined) setWaiting(newOnes(page.items, latest.current.shown));
    };
    const timer = setInterval(look, EVERY_MS);
    document.addEventListener("visibilitychange", look);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", look);
    };
  }, []);
  return newOnes(waiting, shown);
}
