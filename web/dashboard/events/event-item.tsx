import type { EventReply } from "../../../domain/reports/event-list.ts";
import { momentWithSeconds } from "../parts/format.ts";
import { linkTo } from "../use-address.ts";

interface EventProps {
  readonly event: EventReply;
  readonly zone: string;
}

/** Properties with their values. */
export const PropertyList = ({ properties }: { properties: readonly (readonly [string, unknown])[] }) =>
  properties.length === 0 ? null : (
    <dl class="properties">
      {properties.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{typeof value === "string" ? value : JSON.stringify(value)}</dd>
        </div>
      ))}
    </dl>
  );

function Person({ label, link, value }: { label: string; link: string; value: string | null }) {
  return value === null ? (
    <span class="hint">no {label}</span>
  ) : (
    <a href={link}>
      {label} {value}
    </a>
  );
}

/** An event of a list, with links to its user and session. */
export function EventItem({ event, zone }: EventProps) {
  const { user_id, session_id, properties, client_timestamp } = event;
  return (
    <li>
      <time dateTime={event.timestamp}>{momentWithSeconds(event.timestamp, zone)}</time>
      <strong>{event.event_type}</strong>
      <span class="persons">
        <Person label="user" link={linkTo(["users", user_id ?? ""])} value={user_id} />
        <Person
          label="session"
          link={linkTo(["events"], { session_id: session_id ?? "" })}
          value={session_id}
        />
      </span>
      <PropertyList properties={Object.entries(properties ?? {})} />
      {client_timestamp !== null && (
        <span class="hint">
          The client’s clock was ahead: it showed {momentWithSeconds(client_timestamp, zone)}.
        </span>
      )}
    </li>
  );
}
