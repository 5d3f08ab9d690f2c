import { statSync } from "node:fs";
import type { Database } from "better-sqlite3";
import type { StorageFigures } from "../../domain/storage.ts";
import type { Erasures } from "../background/erasures.ts";
import type { Expiry } from "../background/expiry.ts";
import { reading } from "./failures.ts";
import { fromSql } from "./instants.ts";
import type { RollupBuild } from "./reports/rollup-build.ts";
import type { Writer } from "./writer.ts";

interface Unbuilt {
  readonly events: number;
  readonly oldest: string | number | Uint8Array | null;
}

// More unbuilt events than this are not counted one by one: the range of their ids is about their number.
const MAX_COUNTED = 50_000;

const UNBUILT = `
  select (select count(*) from (select 1 from events where id > @through limit ${MAX_COUNTED})) as events,
    (select created_at from events where id > @through order by id limit 1) as oldest`;

/** Size of the log next to the database's file; 0 for a database in memory. */
const logBytesOf = ({ name, memory }: Database): number =>
  memory ? 0 : (statSync(`${name}-wal`, { throwIfNoEntry: false })?.size ?? 0);

export function createFigures(
  db: Database,
  writer: Pick<Writer, "rowsWaiting">,
  build: Pick<RollupBuild, "builtThrough">,
  erasures: Pick<Erasures, "figures">,
  expiry: Pick<Expiry, "progress">,
): () => Promise<StorageFigures> {
  const unbuilt = db.prepare<{ through: number }, Unbuilt>(UNBUILT);
  const newestId = db.prepare<[], number>("select coalesce(max(id), 0) from events").pluck();
  const databaseBytes = db
    .prepare<[], number>("select page_count * page_size from pragma_page_count, pragma_page_size")
    .pluck();

  const own = () =>
    reading(() => {
      const through = build.builtThrough();
      const { events = 0, oldest = null } = unbuilt.get({ through }) ?? {};
      const created = oldest === null ? Number.NaN : fromSql(oldest);
      return {
        rowsWaiting: writer.rowsWaiting(),
        eventsNotInRollups: events < MAX_COUNTED ? events : (newestId.get() ?? 0) - through,
        oldestNotInRollups: Number.isNaN(created) ? null : created,
        databaseBytes: databaseBytes.get() ?? 0,
        logBytes: logBytesOf(db),
      };
    });

  return async () => ({ ...(await own()), expiry: expiry.progress(), erasures: await erasures.figures() });
}
