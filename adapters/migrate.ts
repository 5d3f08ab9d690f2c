/** A step of a database's schema: its name is recorded when it is applied, and never changes afterwards. */
export interface Migration {
  readonly name: string;
}

/** The database holds what this version does not know: starting would damage it. */
export class NewerDatabase extends Error {
  override readonly name = "NewerDatabase";
}

/** Those that are still to be applied, in their order; refuses a database that a newer version has written. */
export function pendingMigrations<M extends Migration>(known: readonly M[], applied: readonly string[]): M[] {
  const names = new Set(known.map((migration) => migration.name));
  const strangers = applied.filter((name) => !names.has(name));
  if (strangers.length > 0) {
    throw new NewerDatabase(
      `This database was written by a newer version of the Analytics Server (it has ${strangers.join(", ")}). ` +
        "Start that version, restore a backup of before its upgrade, or name another database in ANALYTICS_DATABASE. " +
        "Nothing was changed.",
    );
  }
  return known.filter((migration) => !applied.includes(migration.name));
}
