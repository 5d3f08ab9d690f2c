import type { SenderClock } from "../clock.ts";
import type { Checked } from "../failure.ts";
import type { Instant } from "../time.ts";
import { type EventInput, type NewEvent, stamp } from "./event.ts";
import { type Browser, PAGE_VIEW } from "./page.ts";
import { arePropertiesOrNone } from "./properties.ts";

/**
 * Stamps an event. A page view gets the facts about its browser as properties, unless it would become too large by
 * them. Its own properties win.
 */
export function stampSeen(
  input: EventInput,
  browser: Browser | undefined,
  now: Instant,
  clock?: SenderClock,
): Checked<NewEvent> {
  if (browser !== undefined && input.event_type === PAGE_VIEW) {
    const properties = { ...browser, ...input.properties };
    const stamped = stamp({ ...input, properties }, now, clock);
    if ("value" in stamped && arePropertiesOrNone(properties)) return stamped;
  }
  return stamp(input, now, clock);
}
