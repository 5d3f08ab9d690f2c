import { z } from "zod";
import { type Instant, IsoTime, isoTime } from "../time.ts";

// Everything that is stored about a person can be erased. A receipt of each erasure stays, without the person's id.

/** The number of rows that an erasure has removed. */
export interface ErasedCounts {
  readonly events: number;
  readonly assignments: number;
  readonly metric_values: number;
  /** Links between ids of the person. */
  readonly links: number;
}

/** A finished erasure. */
export interface Erasure {
  /** A random id. */
  readonly receipt: string;
  readonly erased: ErasedCounts;
  readonly erased_at: Instant;
}

/** A request to erase a person. */
export interface NewErasure {
  /** One of the person's ids; all linked ids are erased with it. */
  readonly user_id: string;
  readonly receipt: string;
  readonly requested_at: Instant;
}

/** The erasures that a process has finished. */
export interface FinishedErasures {
  readonly finished: number;
  /** The events that they have removed. */
  readonly events: number;
  /** When the last of them was finished; null before. */
  readonly last_at: Instant | null;
}

export const NONE_FINISHED: FinishedErasures = { finished: 0, events: 0, last_at: null };

export const oneMore = (
  { finished, events }: FinishedErasures,
  own: number,
  at: Instant,
): FinishedErasures => ({
  finished: finished + 1,
  events: events + own,
  last_at: at,
});

/** Figures of erasures, for monitoring. */
export interface ErasureFigures extends FinishedErasures {
  /** Those that are not finished, of all processes. */
  readonly waiting: number;
}

export interface ErasurePage {
  readonly limit: number;
  /** Only erasures before this one, in the order of time and receipt. */
  readonly before?: Pick<Erasure, "erased_at" | "receipt"> | undefined;
}

const Count = z.int().nonnegative();

export const ErasureReply = z
  .strictObject({
    receipt: z.string(),
    erased: z.strictObject({ events: Count, assignments: Count, metric_values: Count, links: Count }),
    erased_at: IsoTime,
  })
  .meta({ id: "Erasure" });

/** An erasure as answers show it. */
export const describeErasure = ({ receipt, erased, erased_at }: Erasure): z.infer<typeof ErasureReply> => ({
  receipt,
  erased: { ...erased },
  erased_at: isoTime(erased_at),
});
