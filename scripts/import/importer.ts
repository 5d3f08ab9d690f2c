import type { NewEvent } from "../../domain/events/event.ts";
import { stamp } from "../../domain/events/event.ts";
import type { Fault } from "../../domain/failure.ts";
import type { Storage } from "../../domain/storage.ts";
import { checkedEvent, type Fields, linked } from "../../handlers/compatible/intake.ts";
import { MAX_BATCH } from "../../handlers/contract/batch.ts";
import type { Row } from "./rows.ts";
import type { Item, Source } from "./source.ts";

/** Something that was not imported: how often, and the first row that has it. */
export interface Omission {
  readonly reason: string;
  readonly count: number;
  readonly row: number;
}

/** The outcome of an import, for its report. */
export interface Imported {
  readonly rows: number;
  /** Events that were stored; those that can be stored, in a dry run. */
  readonly events: number;
  /** Events that were stored before. */
  readonly duplicates: number;
  readonly links: number;
  readonly omissions: readonly Omission[];
  /** Fields of the rows that no event has. */
  readonly unreadFields: readonly string[];
}

interface Target {
  /** Undefined in a dry run. */
  readonly storage: Storage | undefined;
  readonly now: () => number;
}

// The report is bounded, however long the file is.
const MOST_REASONS = 50;
const MOST_FIELDS = 200;
const OTHER_REASONS = "other reasons";
/** Pairs of ids that are known to be linked. Rows of one user repeat them. */
const MOST_KNOWN_LINKS = 10_000;

function omissionList() {
  const omissions = new Map<string, Omission>();
  return {
    add(row: number, { path, message }: Fault): void {
      const wanted = `${path} ${message}`;
      const isKept = omissions.has(wanted) || omissions.size < MOST_REASONS;
      const reason = isKept ? wanted : OTHER_REASONS;
      const { count = 0, row: first = row } = omissions.get(reason) ?? {};
      omissions.set(reason, { reason, count: count + 1, row: first });
    },
    all: (): readonly Omission[] => [...omissions.values()].sort((a, b) => b.count - a.count),
  };
}

/** Collects events and links, and stores them in batches. */
function intake({ storage, now }: Target, omit: (row: number, fault: Fault) => void) {
  const counts = { events: 0, duplicates: 0, links: 0 };
  const knownLinks = new Set<string>();
  let events: NewEvent[] = [];
  let links: { readonly row: number; readonly link: Fields }[] = [];

  async function store(): Promise<void> {
    const [batch, pairs] = [events, links];
    [events, links] = [[], []];
    counts.events += batch.length;
    if (storage === undefined) return;
    for (const { duplicate } of await storage.appendEvents(batch)) {
      if (!duplicate) continue;
      counts.events -= 1;
      counts.duplicates += 1;
    }
    const faults = await Promise.all(pairs.map(({ link }) => linked(link, { storage, now })));
    for (const [index, [fault]] of faults.entries()) {
      if (fault === undefined) counts.links += 1;
      else omit(pairs[index]?.row ?? 0, { path: "link", message: `${fault.path} ${fault.message}` });
    }
  }

  function takeLink(row: number, link: Fields): void {
    const pair = JSON.stringify(link);
    if (knownLinks.has(pair)) return;
    if (knownLinks.size >= MOST_KNOWN_LINKS) knownLinks.clear();
    knownLinks.add(pair);
    links.push({ row, link });
  }

  return {
    counts,
    store,
    async take(row: number, item: Item): Promise<void> {
      if ("fault" in item) return omit(row, item.fault);
      if (item.link !== undefined) takeLink(row, item.link);
      if (item.event === undefined) return;
      const checked = checkedEvent(item.event, (input) => stamp(input, now()));
      if ("faults" in checked) return omit(row, checked.faults[0] ?? { path: "row", message: "is invalid" });
      events.push(checked.value);
      if (events.length >= MAX_BATCH) await store();
    },
  };
}

/**
 * Imports the rows of an export. Every event has a message id that depends on the row alone, so that an import that is
 * repeated, or was interrupted and begins again, stores nothing twice. `onRow` is called after each row.
 */
export async function importRows(
  rows: AsyncIterable<Row>,
  source: Source,
  target: Target,
  onRow: () => void = () => {},
): Promise<Imported> {
  const omissions = omissionList();
  const unread = new Set<string>();
  const { counts, take, store } = intake(target, omissions.add);
  let count = 0;
  for await (const row of rows) {
    count += 1;
    if ("fault" in row) omissions.add(count, { path: "row", message: row.fault });
    else {
      for (const name of Object.keys(row.fields)) {
        if (!source.read.has(name) && unread.size < MOST_FIELDS) unread.add(name);
      }
      for (const item of source.itemsOf(row.fields)) await take(count, item);
    }
    onRow();
  }
  await store();
  return { rows: count, ...counts, omissions: omissions.all(), unreadFields: [...unread].sort() };
}
