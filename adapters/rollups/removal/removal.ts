import { GrowthTally, type HourGrowth, type NumberedEvent, sumOf, type TypeGrowth } from "../build/growth.ts";
import { ALL_TYPES, type TypeRow } from "../store.ts";
import type { Work } from "../work.ts";
import { emptyHours, emptyParts } from "./hours.ts";
import { type Found, findPostings, type Selection } from "./postings.ts";
import { emptyProperties, type KnownProperties, knownProperties } from "./properties.ts";
import { noRemovedRows, type RemovalStore, type RemovedRows } from "./removed-rows.ts";
import { seenOf } from "./seen.ts";

export interface Removal {
  readonly rows: RemovedRows;
  /** Ids of the events to delete together with the change of the rows. */
  readonly ids: readonly number[];
  readonly events: readonly NumberedEvent[];
  /** The rollups cannot be corrected by rows: they have to be built again from the remaining events. */
  readonly needsRebuild: boolean;
}

/** Loads the events with these ids. */
export type LoadEvents = (
  ids: readonly number[],
) => Work<readonly Pick<NumberedEvent, "id" | "event_type" | "properties">[]>;

/** What the events are taken away from. */
interface Losses {
  readonly types: ReadonlyMap<string, TypeGrowth>;
  readonly rows: readonly TypeRow[];
  /** By type id; that of all types included. */
  readonly hours: ReadonlyMap<number, HourGrowth>;
}

/** The events as the rollups have them: user and time come from the postings. */
function* loadNumbered({ removed }: Found, load: LoadEvents): Work<NumberedEvent[]> {
  const loaded = yield* load([...removed.keys()]);
  return loaded.flatMap((event) => {
    const posting = removed.get(event.id);
    return posting === undefined ? [] : [{ ...event, ...posting }];
  });
}

function lossesOf(
  events: readonly NumberedEvent[],
  types: readonly TypeRow[],
  known: KnownProperties,
): Losses {
  const ids = new Map(types.map((row) => [row.event_type, row.id]));
  const tally = new GrowthTally((event_type, name) => known.keepingOf(ids.get(event_type) ?? 0, name));
  const growths = tally.take(events, Number.POSITIVE_INFINITY).types;
  const rows = types.filter(({ event_type }) => growths.has(event_type));
  const hours = new Map<number, HourGrowth>([[ALL_TYPES, sumOf(growths.values())]]);
  for (const { id, event_type } of rows) {
    const growth = growths.get(event_type);
    if (growth !== undefined) hours.set(id, growth);
  }
  return { types: growths, rows, hours };
}

function* emptyTypes(store: RemovalStore, losses: Losses, found: Found, rows: RemovedRows): Work<void> {
  for (const row of losses.rows) {
    const lost = losses.types.get(row.event_type);
    if (lost === undefined) continue;
    const count = row.count - lost.count;
    if (count <= 0) rows.emptied.types.push(row.id);
    else rows.put.types.push({ ...row, count, ...(yield* seenOf(store, row, lost, found)) });
  }
}

/**
 * Plans the removal of events. The rollups must contain all of them. The rows equal
 * those of rollups that never had the events, apart from numbers that stay unused.
 */
export function* planRemoval(store: RemovalStore, load: LoadEvents, selection: Selection): Work<Removal> {
  const rows = noRemovedRows();
  const types = yield* store.types();
  const found = yield* findPostings(store, types, selection);
  if (found.removed.size === 0) return { rows, ids: [], events: [], needsRebuild: false };
  const events = yield* loadNumbered(found, load);
  const known = yield* knownProperties(store, types, events);
  const losses = lossesOf(events, types, known);
  yield* emptyHours(store, losses.hours, rows);
  yield* emptyParts(store, losses.hours, found, rows);
  yield* emptyTypes(store, losses, found, rows);
  const needsRebuild = yield* emptyProperties(store, losses, known, rows);
  return { rows, ids: [...found.removed.keys()], events, needsRebuild };
}
