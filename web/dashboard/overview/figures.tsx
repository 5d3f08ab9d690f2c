import type { Trend } from "../../../domain/reports/trend.ts";
import type { Answer } from "../access/use-answer.ts";
import type { Changes } from "../address.ts";
import { number } from "../parts/format.ts";
import { change } from "../reports/trend-figures.ts";
import { ViewLink } from "../shared/view-link.tsx";
import { linkTo } from "../use-address.ts";

interface Figure {
  readonly total: number;
  readonly previous?: { readonly total: number } | undefined;
}

interface TileProps {
  readonly label: string;
  readonly measure: Trend["measure"];
  /** Undefined while it is counted. */
  readonly figure: Figure | undefined;
  readonly range: Changes;
  /** Shown in place of the comparison. */
  readonly note?: string | undefined;
  readonly loading?: boolean;
}

/** One figure with its change; its name leads to its trend. */
const Tile = ({ label, measure, figure, range, note, loading = false }: TileProps) => (
  <div class="tile" aria-busy={loading}>
    <dt>
      <ViewLink href={linkTo(["trend"], { measure, compare: "previous", ...range })}>{label}</ViewLink>
    </dt>
    <dd>{figure === undefined ? "–" : number(figure.total)}</dd>
    <dd class="hint">
      {note ??
        (figure?.previous &&
          `${change(figure.total, figure.previous.total)}, from ${number(figure.previous.total)}`)}
    </dd>
  </div>
);

interface FiguresProps {
  readonly users: Figure;
  readonly events: Figure;
  /** They are counted in the events, which takes longer than the other figures. */
  readonly sessions: Answer<Trend>;
  readonly range: Changes;
}

/** The three figures of a range, each with its change from the period before. */
export function Figures({ users, events, sessions, range }: FiguresProps) {
  const note = sessions.problem?.message ?? (sessions.value === undefined ? "is being counted" : undefined);
  return (
    <dl class="tiles">
      <Tile label="Users" measure="users" figure={users} range={range} />
      <Tile label="Events" measure="count" figure={events} range={range} />
      <Tile
        label="Sessions"
        measure="sessions"
        figure={sessions.value?.series[0]}
        range={range}
        note={note}
        loading={sessions.loading}
      />
    </dl>
  );
}
