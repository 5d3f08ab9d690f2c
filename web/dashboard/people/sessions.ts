import type { EventReply } from "../../../domain/reports/event-list.ts";

type Properties = NonNullable<EventReply["properties"]>;

/** The events of a session, or those without one between two sessions, in the order in which they happened. */
export interface Session {
  readonly id: string | null;
  readonly events: readonly EventReply[];
  /** Properties that every event has with the same value. */
  readonly shared: Properties;
}

const text = (value: unknown): string => JSON.stringify(value);

function sharedOf(events: readonly EventReply[]): Properties {
  const [first, ...others] = events.map(({ properties }) => properties ?? {});
  // Of a single event nothing differs, and nothing is shared.
  if (first === undefined || others.length === 0) return {};
  return Object.fromEntries(
    Object.entries(first).filter(([name, value]) =>
      others.every((properties) => Object.hasOwn(properties, name) && text(properties[name]) === text(value)),
    ),
  );
}

/** What is particular to an event of a session. */
export const ownProperties = ({ properties }: EventReply, { shared }: Session): [string, unknown][] =>
  Object.entries(properties ?? {}).filter(([name]) => !Object.hasOwn(shared, name));

/** Events, which come newest first, as sessions, the newest first. */
export function sessionsOf(events: readonly EventReply[]): Session[] {
  const groups: EventReply[][] = [];
  for (const event of events) {
    const group = groups.at(-1);
    if (group?.[0]?.session_id === event.session_id) group?.push(event);
    else groups.push([event]);
  }
  return groups.map((group) => {
    const ordered = group.toReversed();
    return { id: group[0]?.session_id ?? null, events: ordered, shared: sharedOf(ordered) };
  });
}
