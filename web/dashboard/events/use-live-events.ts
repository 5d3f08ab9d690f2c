import { useEffect, useRef, useState } from "preact/hooks";
import type { EventReply } from "../../../domain/reports/event-list.ts";
import { listEvents } from "../access/api.ts";
import type { Changes } from "../address.ts";

const EVERY_MS = 4_000;

/** The new events that are not shown yet, newest first. */
export function newOnes(newest: readonly EventReply[], shown: readonly EventReply[]): EventReply[] {
  const known = new Set(shown.map(({ id }) => id));
  return newest.filter(({ id }) => !known.has(id));
}

/**
 * Polls for new events every few seconds while the page is visible. New events wait until the user asks for them, so that
 * the list does not move while it is read.
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
      // A failure may be gone at the next poll, and the list itself shows one that lasts.
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
