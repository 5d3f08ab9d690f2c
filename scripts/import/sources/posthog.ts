import type { Fields } from "../../../handlers/compatible/intake.ts";
import { actOf } from "../../../handlers/compatible/posthog/mapping.ts";
import { idFrom, timeOf } from "../fields.ts";
import type { Item, Source } from "../source.ts";

// https://posthog.com/docs/cdp/batch-exports: the model "events".

/** An export has a timestamp in every row. */
const NOT_SENT = 0;

/** Some formats have the properties as JSON text. */
function propertiesOf({ properties }: Fields): unknown {
  if (typeof properties !== "string") return properties;
  try {
    return JSON.parse(properties);
  } catch {
    return properties;
  }
}

function* itemsOf(row: Fields): Generator<Item> {
  const { uuid, event: event_type, distinct_id } = row;
  const timestamp = timeOf(row.timestamp);
  const properties = propertiesOf(row);
  const message_id = uuid ?? idFrom("posthog", row);
  // Exposures are stored as events without enrolling the user: another product assigned these variants.
  const item = { event: event_type, distinct_id, uuid: message_id, timestamp, properties };
  const { event, link } = actOf(item, NOT_SENT);
  yield { event, link };
}

export const posthog: Source = {
  product: "PostHog",
  origin: "a batch export or file download of the model events, in the format JSONLines",
  read: new Set(["uuid", "event", "distinct_id", "timestamp", "properties"]),
  itemsOf,
};
