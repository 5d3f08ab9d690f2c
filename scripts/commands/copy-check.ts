import Sqlite, { type Database } from "better-sqlite3";
import { Refused } from "./command.ts";

const TABLES = ["events", "ab_tests", "ab_variants", "ab_assignments", "ab_metrics"] as const;

/** Number of rows of each table of the specification. */
export type TableCounts = Readonly<Record<(typeof TABLES)[number], number>>;

/** Opens a file that another process may be writing to. */
export const readOnly = (file: string): Database =>
  new Sqlite(file, { readonly: true, fileMustExist: true, timeout: 10_000 });

function within<T>(file: string, read: (db: Database) => T): T {
  const db = readOnly(file);
  try {
    return read(db);
  } finally {
    db.close();
  }
}

const count = (db: Database, sql: string): number => db.prepare<[], number>(sql).pluck().get() ?? 0;

export function countsOf(file: string): TableCounts {
  return within(file, (db) => {
    const missing = TABLES.filter(
      (table) => count(db, `select count(*) from pragma_table_info('${table}')`) === 0,
    );
    if (missing.length > 0) {
      throw new Refused(`${file} is not a database of this server: it has no table ${missing.join(", ")}.`);
    }
    const counts = TABLES.map((table) => [table, count(db, `select count(*) from ${table}`)]);
    return Object.fromEntries(counts) as TableCounts;
  });
}

/**
 * Number of rows that refer to a missing row. 0 during the deletion of an experiment, which leaves such rows for a
 * while.
 */
const brokenReferences = (file: string): number =>
  within(file, (db) => {
    const isSweeping = count(db, "select count(*) from sqlite_schema where name = 'ab_deletions'") > 0;
    if (isSweeping && count(db, "select count(*) from ab_deletions") > 0) return 0;
    return (db.pragma("foreign_key_check") as unknown[]).length;
  });

interface Backup {
  readonly source: string;
  readonly backup: string;
  /** Row counts of the source before and after the copy. The counts of the copy must be between them. */
  readonly before: TableCounts;
  readonly after: TableCounts;
}

/** Checks the pages, references and row counts of the copy. Throws if it is damaged or incomplete. */
export function checkBackup({ source, backup, before, after }: Backup): TableCounts {
  const faults = within(backup, (db) => db.pragma("integrity_check") as { integrity_check: string }[]);
  const [first] = faults;
  if (first?.integrity_check !== "ok") throw new Refused(`The copy is damaged: ${first?.integrity_check}`);
  const broken = brokenReferences(backup);
  if (broken > 0 && broken !== brokenReferences(source)) {
    throw new Refused(`The copy has ${broken} rows that refer to missing rows.`);
  }
  const copied = countsOf(backup);
  for (const table of TABLES) {
    const [least, most] = [before[table], after[table]].sort((a, b) => a - b);
    if (copied[table] < (least ?? 0) || copied[table] > (most ?? 0)) {
      throw new Refused(
        `The copy has ${copied[table]} rows of ${table}, while the database had ${before[table]} before it was made and ` +
          `${after[table]} after. Were rows deleted meanwhile? Then try again.`,
      );
    }
  }
  return copied;
}
