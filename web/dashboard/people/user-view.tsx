import { useEffect } from "preact/hooks";
import type { ProfileReply } from "../../../domain/people/profile.ts";
import type { EventReply } from "../../../domain/reports/event-list.ts";
import { getUser, listEvents, type Page } from "../access/api.ts";
import { useAnswer } from "../access/use-answer.ts";
import { PropertyList } from "../events/event-item.tsx";
import { Facts } from "../parts/facts.tsx";
import { clock, counted, day, duration, moment, momentWithSeconds, number } from "../parts/format.ts";
import { Answered } from "../parts/notices.tsx";
import { Table } from "../parts/table.tsx";
import { linkTo } from "../use-address.ts";
import { zoneOf } from "../zone.ts";
import { ownProperties, type Session, sessionsOf } from "./sessions.ts";

const PAGE = "100";

function Known({ profile, zone }: { profile: ProfileReply; zone: string }) {
  const { event_count, all_counted, first_seen, last_seen, links } = profile;
  const shown = (time: string | null): string => (time === null ? "–" : moment(time, zone));
  return (
    <Facts
      facts={[
        ["Events", all_counted ? number(event_count) : `more than ${number(event_count)}`],
        ["First seen", shown(first_seen)],
        ["Last seen", shown(last_seen)],
        ["Other ids", links.length === 0 ? "none" : links.map(({ anonymous_id }) => anonymous_id).join(", ")],
      ]}
    />
  );
}

const Variants = ({ profile: { variants }, zone }: { profile: ProfileReply; zone: string }) =>
  variants.length === 0 ? null : (
    <section aria-labelledby="variants-title">
      <h2 id="variants-title">Experiments</h2>
      <Table
        caption="Variants of this user"
        columns={["Experiment", "Variant", "Since"]}
        rows={variants.map(({ test_id, test_name, variant, assigned_at }) => [
          <a key={test_id} href={linkTo(["experiments", String(test_id)])}>
            {test_name}
          </a>,
          variant,
          moment(assigned_at, zone),
        ])}
      />
    </section>
  );

/** "Session 4f2, 22 Nov 2026, 10:00: 12 events in 14 min". */
function titleOf({ id, events }: Session, zone: string): string {
  const [first] = events;
  const last = events.at(-1);
  if (first === undefined || last === undefined) return "";
  const name = id === null ? "Without a session" : `Session ${id}`;
  const seconds = (Date.parse(last.timestamp) - Date.parse(first.timestamp)) / 1000;
  const length = seconds > 0 ? ` in ${duration(seconds)}` : "";
  return `${name}, ${moment(first.timestamp, zone)}: ${counted(events.length, "event")}${length}`;
}

/** The time of day; with the date where the session lasts over midnight. */
function timesOf({ events }: Session, zone: string): (time: string) => string {
  const days = new Set(events.map(({ timestamp }) => day(timestamp, zone)));
  return days.size > 1 ? (time) => momentWithSeconds(time, zone) : (time) => clock(time, zone);
}

const SessionBlock = ({ session, zone }: { session: Session; zone: string }) => (
  <section class="session">
    <h3>{titleOf(session, zone)}</h3>
    <PropertyList properties={Object.entries(session.shared)} />
    <ol class="events">
      {session.events.map((event) => (
        <li key={event.id}>
          <time dateTime={event.timestamp}>{timesOf(session, zone)(event.timestamp)}</time>
          <strong>{event.event_type}</strong>
          <PropertyList properties={ownProperties(event, session)} />
        </li>
      ))}
    </ol>
  </section>
);

interface HistoryProps {
  readonly userId: string;
  readonly page: Page<EventReply>;
  readonly zone: string;
}

const History = ({ userId, page, zone }: HistoryProps) => (
  <section aria-labelledby="history-title">
    <h2 id="history-title">What this user did</h2>
    {sessionsOf(page.items).map((session) => (
      <SessionBlock key={session.events[0]?.id} session={session} zone={zone} />
    ))}
    <p>
      {page.next !== null && `These are the newest ${counted(page.items.length, "event")}. `}
      <a href={linkTo(["events"], { user_id: userId })}>Show all events of this user</a>
    </p>
  </section>
);

interface UserViewProps {
  readonly userId: string;
  readonly query: URLSearchParams;
}

/** One user under all their ids: when they were seen, which variants they have, and what they did. */
export function UserView({ userId, query }: UserViewProps) {
  const zone = zoneOf(query);
  const answer = useAnswer(`user ${userId}`, (signal) =>
    Promise.all([getUser(userId, signal), listEvents({ user_id: userId, limit: PAGE }, { signal })]),
  );
  const name = answer.value?.[0].user_id ?? userId;
  useEffect(() => {
    document.title = `${name} – Analytics Server`;
  }, [name]);
  return (
    <>
      <p>
        <a href={linkTo(["events"])}>All events</a>
      </p>
      <h1>User {name}</h1>
      <Answered answer={answer} what="the user">
        {([profile, page]) => (
          <>
            <Known profile={profile} zone={zone} />
            <Variants profile={profile} zone={zone} />
            <History userId={userId} page={page} zone={zone} />
          </>
        )}
      </Answered>
    </>
  );
}
