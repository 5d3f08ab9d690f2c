import type { Overview } from "../../../domain/reports/overview.ts";
import type { Changes } from "../address.ts";
import { CsvButton } from "../parts/csv-button.tsx";
import { isolated, number } from "../parts/format.ts";
import { whereName } from "../reports/filters.ts";
import { change } from "../reports/trend-figures.ts";
import { ViewLink } from "../shared/view-link.tsx";
import { linkTo } from "../use-address.ts";

type List = Overview["lists"][number];
type Row = List["rows"][number];

const TITLES: Record<List["name"], string> = {
  pages: "Pages",
  referrers: "Referrers",
  campaigns: "Campaigns",
  devices: "Devices",
  countries: "Countries",
};

interface ListProps {
  readonly list: List;
  readonly range: Changes;
}

/** The trend of one row; the other values together have none. */
function rowLink({ list: { event_type, property }, range }: ListProps, { group }: Row): string {
  const condition = whereName({ property, operator: "" });
  return linkTo(["trend"], {
    event_type: event_type ?? undefined,
    compare: "previous",
    ...range,
    [condition]: String(group),
  });
}

function TopRow({ list, range, row, most }: ListProps & { row: Row; most: number }) {
  const { group, is_other, total, previous } = row;
  const name = isolated(String(group));
  return (
    <tr>
      <th scope="row">
        {is_other ? "all others" : <ViewLink href={rowLink({ list, range }, row)}>{name}</ViewLink>}
        <svg class="share" aria-hidden="true" width="100%" height="4">
          <rect x="0" y="0" width={is_other ? 0 : `${(100 * total) / most}%`} height="4" />
        </svg>
      </th>
      <td>{number(total)}</td>
      <td class="hint">{previous === undefined ? "" : change(total, previous)}</td>
    </tr>
  );
}

/** The values that are not listed are a row only where there are any. */
const hasRow = ({ is_other, total }: Row): boolean => !is_other || total > 0;

const unitOf = ({ event_type }: List): string => (event_type === null ? "Events" : "Page views");

const TopList = ({ list, range }: ListProps) => {
  const most = Math.max(1, ...list.rows.filter(({ is_other }) => !is_other).map(({ total }) => total));
  return (
    <section class="card with-csv">
      <table class="top">
        <caption>
          <h2>{TITLES[list.name]}</h2>
        </caption>
        <thead>
          <tr>
            <th scope="col">
              <code>{list.property}</code>
            </th>
            <th scope="col">{unitOf(list)}</th>
            <th scope="col">Change</th>
          </tr>
        </thead>
        <tbody>
          {list.rows.filter(hasRow).map((row) => (
            <TopRow
              key={JSON.stringify([row.group, row.is_other])}
              list={list}
              range={range}
              row={row}
              most={most}
            />
          ))}
        </tbody>
      </table>
      {list.rows.length === 0 ? (
        <p class="hint">None in this range.</p>
      ) : (
        <CsvButton name={TITLES[list.name]} />
      )}
    </section>
  );
};

/** What happened most, by page, referrer, campaign, device and country. */
export const TopLists = ({ lists, range }: { lists: readonly List[]; range: Changes }) => (
  <div class="top-lists">
    {lists.map((list) => (
      <TopList key={list.name} list={list} range={range} />
    ))}
  </div>
);
