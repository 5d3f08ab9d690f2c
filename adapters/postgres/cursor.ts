import type { Query } from "./client.ts";

// Some milliseconds' worth of work: between the pieces others get their turn.
const ROWS_AT_ONCE = 2_000;

/** Visits the rows of a `select`, however many there are, inside a transaction and one statement at a time. */
export async function eachRow<Row>(
  query: Query,
  select: string,
  values: readonly unknown[],
  visit: (row: Row) => void,
): Promise<void> {
  await query(`declare report no scroll cursor for ${select}`, values);
  for (;;) {
    const rows = await query<Row>(`fetch ${ROWS_AT_ONCE} from report`);
    for (const row of rows) visit(row);
    if (rows.length < ROWS_AT_ONCE) break;
  }
  await query("close report");
}
