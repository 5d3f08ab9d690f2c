import { useEffect, useState } from "preact/hooks";
import type { EventReply } from "../../../domain/reports/event-list.ts";
import { listEvents, type Page } from "../access/api.ts";
import type { Problem } from "../access/problem.ts";
import { useAnswer } from "../access/use-answer.ts";
import type { Changes } from "../address.ts";
import { Faults, FilterField, SelectField } from "../parts/fields.tsx";
import { counted } from "../parts/format.ts";
import { Answered, EmptyNotice, ProblemNotice } from "../parts/notices.tsx";
import { ConditionFilter, RangeFilter, withNone, ZoneFilter } from "../reports/filter-fields.tsx";
import { whereOf } from "../reports/filters.ts";
import { FoldedFilters } from "../reports/folded-filters.tsx";
import { hasRange, rangeOf } from "../reports/ranges.ts";
import { linkTo, setQuery } from "../use-address.ts";
import type { ViewProps } from "../view.ts";
import { zoneOf } from "../zone.ts";
import { EventItem } from "./event-item.tsx";
import { ExportButton } from "./export-button.tsx";
import { NoEvents } from "./no-events.tsx";
import { propertyNames, typeNames, useCatalogue } from "./use-catalogue.ts";
import { useLiveEvents } from "./use-live-events.ts";

const PAGE = "50";

/** Unlike a report, a list covers all times until a range is chosen. */
const filterOf = (query: URLSearchParams, now: number): Changes => ({
  ...(hasRange(query) ? rangeOf(query, now) : {}),
  ...whereOf(query),
  event_type: query.get("event_type") ?? undefined,
  user_id: query.get("user_id") ?? undefined,
  session_id: query.get("session_id") ?? undefined,
});

interface ListProps {
  readonly first: Page<EventReply>;
  readonly filter: Changes;
  readonly zone: string;
  readonly onReload: () => void;
}

interface WaitingProps {
  readonly count: number;
  readonly onShow: () => void;
  readonly onReload: () => void;
}

/** Offers the new events. With a full page of them there may be more between it and the list, so the list reloads. */
const Waiting = ({ count, onShow, onReload }: WaitingProps) => (
  <p class="live" role="status">
    {count === 0 && "New events appear here within seconds."}
    {count > 0 && count < Number(PAGE) && (
      <button type="button" onClick={onShow}>
        Show {counted(count, "new event")}
      </button>
    )}
    {count >= Number(PAGE) && (
      <button type="button" onClick={onReload}>
        Show the newest events
      </button>
    )}
  </p>
);

/** The newest events, with buttons for newer and older ones. */
function EventList({ first, filter, zone, onReload }: ListProps) {
  const [events, setEvents] = useState(first.items);
  const [next, setNext] = useState(first.next);
  const [problem, setProblem] = useState<Problem | undefined>();
  useEffect(() => {
    setEvents(first.items);
    setNext(first.next);
  }, [first]);
  const waiting = useLiveEvents({ ...filter, limit: PAGE }, events);
  const older = async (): Promise<void> => {
    setProblem(undefined);
    await listEvents({ ...filter, limit: PAGE, cursor: next ?? undefined }).then((page) => {
      setEvents((shown) => [...shown, ...page.items]);
      setNext(page.next);
    }, setProblem);
  };
  return (
    <>
      <Waiting count={waiting.length} onShow={() => setEvents([...waiting, ...events])} onReload={onReload} />
      {events.length === 0 && (
        <EmptyNotice title="No such events">
          <p>
            Remove filters, or <a href={linkTo(["events"])}>show all events</a>.
          </p>
        </EmptyNotice>
      )}
      <ol class="events">
        {events.map((event) => (
          <EventItem key={event.id} event={event} zone={zone} />
        ))}
      </ol>
      {problem !== undefined && <ProblemNotice problem={problem} />}
      {next !== null && (
        <button type="button" onClick={older}>
          Show older events
        </button>
      )}
    </>
  );
}

function Filters({ query }: ViewProps) {
  const catalogue = useCatalogue();
  const type = query.get("event_type") ?? "";
  const types = type === "" ? [] : [type];
  const text = (name: string, label: string) => (
    <FilterField
      label={label}
      path={name}
      value={query.get(name) ?? ""}
      onValue={(value) => setQuery({ [name]: value })}
    />
  );
  return (
    <div class="filters">
      <SelectField
        label="Event"
        value={type}
        options={withNone("all events", typeNames(catalogue))}
        onValue={(value) => setQuery({ event_type: value })}
      />
      {text("user_id", "User")}
      <FoldedFilters query={query} names={["session_id"]}>
        {text("session_id", "Session")}
        <RangeFilter query={query} optional />
        <ZoneFilter query={query} />
        <ConditionFilter query={query} types={types} properties={propertyNames(catalogue, types)} />
      </FoldedFilters>
    </div>
  );
}

export function EventsView({ query }: ViewProps) {
  const filter = filterOf(query, Date.now());
  const filtered = Object.values(filter).some((value) => value !== undefined);
  const asked = JSON.stringify(filter);
  const answer = useAnswer(asked, (signal) => listEvents({ ...filter, limit: PAGE }, { signal }));
  if (!filtered && answer.value?.items.length === 0) return <NoEvents title="Events" />;
  return (
    <Faults.Provider value={answer.problem?.faults ?? []}>
      <div class="title-line">
        <h1>Events</h1>
        <ExportButton query={filter} />
      </div>
      <Filters query={query} />
      <Answered answer={answer} what="the events">
        {(first) => (
          <EventList key={asked} first={first} filter={filter} zone={zoneOf(query)} onReload={answer.again} />
        )}
      </Answered>
    </Faults.Provider>
  );
}
