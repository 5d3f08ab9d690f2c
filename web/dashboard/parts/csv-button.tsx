import { cellsOf, csvOf } from "./csv.ts";
import { download } from "./download.ts";

// Spreadsheets read UTF-8 only with this mark.
const MARK = "\ufeff";

/** "Users per day" as users-per-day.csv. */
const fileName = (name: string): string =>
  `${name
    .toLowerCase()
    .replaceAll(/[^\p{Letter}\p{Number}]+/gu, "-")
    .slice(0, 80)}.csv`;

/** Downloads the table of the same `.with-csv` element as it is shown. */
export function CsvButton({ name }: { name: string }) {
  const save = ({ currentTarget }: { currentTarget: HTMLElement }): void => {
    const table = currentTarget.closest(".with-csv")?.querySelector("table");
    if (table) download(new Blob([MARK + csvOf(cellsOf(table))], { type: "text/csv" }), fileName(name));
  };
  return (
    <button type="button" class="quiet" aria-label={`Download as CSV: ${name}`} onClick={save}>
      Download as CSV
    </button>
  );
}
