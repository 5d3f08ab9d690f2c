import { existsSync } from "node:fs";
import { verifyDatabase } from "../../adapters/postgres/reports/verification.ts";
import { openPostgres } from "../../adapters/postgres/storage.ts";
import type { Verification } from "../../adapters/rollups/verification/verify.ts";
import { isPostgres } from "../../adapters/setting-values.ts";
import { readSettings } from "../../adapters/settings.ts";
import { verifyFile } from "../../adapters/sqlite/reports/verification.ts";
import { openSqlite } from "../../adapters/sqlite/storage.ts";
import type { Storage } from "../../domain/storage.ts";
import { defineCommand, Refused, say } from "./command.ts";
import { progressLines } from "./progress.ts";
import { builtRollups } from "./rollups.ts";
import { verifyTallies } from "./verify-tallies.ts";

// Computes rollups and tallies again from the stored rows, and lists where they differ.

/** A database: its storage, and the comparison of its rollups, which is of one moment. */
interface Engine {
  open(): Promise<Storage>;
  verify(onProgress: (events: number) => void): Promise<Verification | undefined>;
  /** How to build rollups again that differ. */
  readonly rebuild: string;
}

function engineOf(named: string | undefined): Engine {
  const { database, databaseCa: ca } = readSettings({
    ...process.env,
    ...(named && { ANALYTICS_DATABASE: named }),
  });
  if (isPostgres(database)) {
    return {
      open: () => openPostgres(database, { ca }),
      verify: (onProgress) => verifyDatabase(database, { ca }, onProgress),
      rebuild: "update event_rollup set format = 0, and start the server",
    };
  }
  if (!existsSync(database)) throw new Refused(`There is no file ${database}: name one with --database.`);
  return {
    open: async () => openSqlite(database),
    verify: async (onProgress) => verifyFile(database, onProgress),
    rebuild: `npm run rebuild -- --database ${database}`,
  };
}

const textOf = ({ first, all }: Verification): string[] => [
  ...first.map(({ what, inRollups, inEvents }) =>
    inRollups === inEvents
      ? `  ${what}: ${inRollups} in both, but not the same ones`
      : `  ${what}: ${inRollups} in the rollups, ${inEvents} in the events`,
  ),
  ...(all > first.length ? [`  and ${all - first.length} more`] : []),
];

async function verifyRollups(engine: Engine, events: number): Promise<Verification> {
  const show = progressLines("of the events compared with the rollups", Math.max(1, events));
  const found = await engine.verify(show);
  if (found !== undefined) return found;
  throw new Refused(
    "The rollups are being built, or a user is being erased: wait until it is done, and try again.",
  );
}

const linesOf = (items: readonly string[]): string => items.map((item) => `  ${item}`).join("\n");

const expiredText = ({ expired }: Verification): string =>
  expired === 0
    ? ""
    : ` Of ${count(expired, "expired event")} only the number is kept, which nothing is left to compare with.`;

const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? "" : "s"}`;

async function verify(engine: Engine): Promise<void> {
  const storage = await engine.open();
  let events = 0;
  let experiments = 0;
  let tallies: string[];
  try {
    events = (await builtRollups(storage)).events;
    tallies = await verifyTallies(storage, (done) => {
      experiments = done;
    });
  } finally {
    await storage.close();
  }
  const rollups = await verifyRollups(engine, events);
  if (rollups.all > 0)
    say(
      `The rollups differ from the events. Build them again (${engine.rebuild}):\n${textOf(rollups).join("\n")}`,
    );
  if (tallies.length > 0)
    say(
      `Tallies of experiments differ from what they are made of. Restore a backup from before:\n${linesOf(tallies)}`,
    );
  if (rollups.damaged.length > 0)
    say(
      `Counts of expired events are damaged, and cannot be computed again. Restore a backup from before:\n${linesOf(rollups.damaged)}`,
    );
  if (rollups.all + tallies.length + rollups.damaged.length > 0) process.exitCode = 1;
  else
    say(
      `The rollups of ${count(rollups.events, "event")} and the tallies of ${count(experiments, "experiment")} are right.${expiredText(rollups)}`,
    );
}

export const command = defineCommand({
  name: "verify",
  summary: "computes all rollups and tallies again from the stored rows, and lists where they differ",
  usage: "[--database <name>]",
  help: `  --database <name>     a file, or postgres://user:password@host/name (ANALYTICS_DATABASE, else data/analytics.db)

  Stop the server first: an experiment that changes meanwhile cannot be compared. The exit code is 1 where anything differs.`,
  options: { database: { type: "string" } },
  run: ({ values }) => verify(engineOf(values.database)),
});
