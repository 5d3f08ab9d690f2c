import type { Occurrence } from "../../domain/clock.ts";
import { IsoTime, isoTime } from "../../domain/time.ts";

/** In a reply: the time that is stored, where it differs from the client's timestamp. */
export const StoredTimestamp = IsoTime.meta({
  description: "The time that is stored; present where it differs from the timestamp that was sent.",
});

/** The reply's field `timestamp`, or no field where the client's own timestamp is stored. */
export const storedTimestamp = ({
  client_timestamp,
  occurred_at,
}: Pick<Occurrence, "occurred_at"> & Partial<Pick<Occurrence, "client_timestamp">>): {
  timestamp?: string;
} => (client_timestamp === undefined || client_timestamp === null ? {} : { timestamp: isoTime(occurred_at) });
