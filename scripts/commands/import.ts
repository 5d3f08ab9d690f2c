import { existsSync } from "node:fs";
import { basename } from "node:path";
import type { Storage } from "../../domain/storage.ts";
import { type Imported, importRows } from "../import/importer.ts";
import { openExport } from "../import/rows.ts";
import type { Source } from "../import/source.ts";
import { ga4 } from "../import/sources/ga4.ts";
import { matomo } from "../import/sources/matomo.ts";
import { plausible } from "../import/sources/plausible.ts";
import { posthog } from "../import/sources/posthog.ts";
import { umami } from "../import/sources/umami.ts";
import { defineCommand, Refused, WrongUsage } from "./command.ts";
import { databaseSettings, openStorage, shownDatabase } from "./open-storage.ts";
import { progress } from "./progress.ts";
import { builtRollups } from "./rollups.ts";

const SOURCES: Readonly<Record<string, (site: string | undefined) => Source>> = {
  umami: () => umami,
  plausible,
  posthog: () => posthog,
  matomo: () => matomo,
  ga4: () => ga4,
};
const NAMES = Object.keys(SOURCES);

const number = new Intl.NumberFormat("en");
const counted = (count: number, noun: string): string =>
  `${number.format(count)} ${noun}${count === 1 ? "" : "s"}`;

const print = (text: string): void => void process.stdout.write(text);

function report(
  file: string,
  { rows, events, duplicates, links, ...rest }: Imported,
  isDry: boolean,
): string {
  const stored = isDry ? "can be stored; nothing was stored" : "stored";
  const others = [
    ...(duplicates > 0 ? [`${counted(duplicates, "event")} had been stored before`] : []),
    ...(links > 0 ? [`${counted(links, "link")} of two ids`] : []),
  ].map((part) => `, ${part}`);
  const omissions = rest.omissions.map(
    ({ reason, count, row }) =>
      `  ${number.format(count)} ×  ${reason} (first in row ${number.format(row)})\n`,
  );
  return [
    `${file}: ${counted(events, "event")} of ${counted(rows, "row")} ${stored}${others.join("")}.\n`,
    ...(omissions.length > 0 ? ["Not imported:\n", ...omissions] : []),
    ...(rest.unreadFields.length > 0
      ? [`Fields that are not imported: ${rest.unreadFields.join(", ")}\n`]
      : []),
  ].join("");
}

/** An error of the disk or of the compression, which says what is wrong with the file. */
const isOfFile = (error: unknown): error is Error =>
  error instanceof Error &&
  "code" in error &&
  typeof error.code === "string" &&
  /^(E[A-Z]+|Z_|CSV_)/.test(error.code);

async function importFile(path: string, source: Source, storage: Storage | undefined): Promise<void> {
  const { bytes, bytesRead, rows } = await openExport(path);
  const show = progress(basename(path), bytes);
  // The last bytes are read before their rows are stored.
  const onRow = (): void => show(Math.min(bytesRead(), bytes - 1));
  const imported = await importRows(rows, source, { storage, now: Date.now }, onRow);
  show(bytes);
  print(report(path, imported, storage === undefined));
  if (imported.events + imported.duplicates > 0) return;
  throw new Refused(`${path} has no events of ${source.product}. Import this: ${source.origin}.`);
}

async function importFiles(files: readonly string[], source: Source, storage: Storage | undefined) {
  for (const file of files) {
    try {
      await importFile(file, source, storage);
    } catch (error) {
      throw isOfFile(error) ? new Refused(`${file} cannot be read: ${error.message}`) : error;
    }
  }
}

function sourceNamed(name: string | undefined, site: string | undefined): Source {
  const make = name !== undefined && Object.hasOwn(SOURCES, name) ? SOURCES[name] : undefined;
  if (make === undefined)
    throw new WrongUsage(`Name the product that the files come from: ${NAMES.join(", ")}.`);
  return make(site);
}

export const command = defineCommand({
  name: "import",
  summary:
    "imports events from the export files of another product; what is stored already is not stored again",
  usage: `${NAMES.join("|")} <file>… [options]`,
  help: `${NAMES.map((name) => `  ${name.padEnd(22)}${SOURCES[name]?.(undefined).origin}`).join("\n")}

  --dry-run             says what would be imported, and stores nothing
  --site <name>         for plausible: the site, where several are imported
  --database <name>     a file, or postgres://user:password@host/name (ANALYTICS_DATABASE, else data/analytics.db)

  Files are CSV or JSON, also compressed with gzip. The server may run meanwhile. An import that was interrupted is
  started again as it was.`,
  options: {
    "dry-run": { type: "boolean" },
    site: { type: "string" },
    database: { type: "string" },
  },
  allowPositionals: true,
  async run({ values, positionals: [name, ...files] }) {
    const source = sourceNamed(name, values.site);
    if (files.length === 0) throw new WrongUsage("Name the files to import.");
    const missing = files.find((file) => !existsSync(file));
    if (missing !== undefined) throw new Refused(`There is no file ${missing}.`);
    if (values["dry-run"]) return importFiles(files, source, undefined);
    const settings = databaseSettings(values.database);
    const storage = await openStorage(settings);
    try {
      await importFiles(files, source, storage);
      // The first look at the dashboard should not wait for them.
      await builtRollups(storage);
      print(`The events are in ${shownDatabase(settings.database)}.\n`);
    } finally {
      await storage.close();
    }
  },
});
