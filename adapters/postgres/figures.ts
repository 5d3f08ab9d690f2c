import type { StorageFigures } from "../../domain/storage.ts";
import type { Erasures } from "../background/erasures.ts";
import type { Expiry } from "../background/expiry.ts";
import type { Database } from "./database.ts";
import { epochOf } from "./experiments/expressions.ts";

// The log of PostgreSQL belongs to the whole server, and asking for its size needs a special privilege: it is left out.
const FIGURES = `
  select pg_database_size(current_database()) as bytes,
    (select coalesce(sum(cardinality(ids)), 0)::bigint from event_journal)
      + (select greatest(0, backfill_end - backfilled) from event_rollup) as unbuilt,
    (select ${epochOf("created_at")} from events where id = (select min(first_id) from event_journal)) as oldest`;

interface Row {
  readonly bytes: number;
  readonly unbuilt: number;
  readonly oldest: number | null;
}

export async function figuresOf(
  { queryOnce, itemsWaiting }: Database,
  erasures: Pick<Erasures, "figures">,
  expiry: Pick<Expiry, "progress">,
): Promise<StorageFigures> {
  const [row] = await queryOnce<Row>(FIGURES);
  return {
    rowsWaiting: itemsWaiting(),
    eventsNotInRollups: row?.unbuilt ?? 0,
    oldestNotInRollups: row?.oldest ?? null,
    databaseBytes: row?.bytes ?? 0,
    expiry: expiry.progress(),
    erasures: await erasures.figures(),
  };
}
