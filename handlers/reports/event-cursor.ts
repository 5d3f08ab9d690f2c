import { z } from "zod";
import type { EventPlace } from "../../domain/reports/event-list.ts";
import { cursorOf } from "../contract/cursor.ts";

const { Cursor, next } = cursorOf(
  z.tuple([z.int(), z.int()]).transform(([occurred_at, id]): EventPlace => ({ occurred_at, id })),
);

/** Where a page of events ends: after the event at this place. */
export const eventCursor = {
  Cursor,
  next: ({ occurred_at, id }: EventPlace): string => next([occurred_at, id]),
};
