import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { Scroll } from "./scroll.tsx";

interface TableProps {
  readonly caption: string;
  readonly columns: readonly string[];
  /** The first cell of each row names it. */
  readonly rows: readonly (readonly ComponentChildren[])[];
  /** On a phone each row becomes a list of its figures, so that all are visible. */
  readonly stacks?: boolean;
}

/** A table of figures. */
export const Table = ({ caption, columns, rows, stacks = false }: TableProps) => (
  <Scroll label={caption} stacks={stacks}>
    <table>
      <caption>
        <span>{caption}</span>
      </caption>
      <thead>
        <tr>
          {columns.map((column) => (
            <th key={column} scope="col">
              {column}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map(([name, ...cells], index) => (
          <tr key={index}>
            <th scope="row">{name}</th>
            {cells.map((cell, place) => (
              <td key={columns[place + 1]} data-column={columns[place + 1]}>
                {cell}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  </Scroll>
);

interface MoreProps {
  readonly summary: string;
  readonly children: () => ComponentChildren;
}

/** Content that is built when it is opened: a table of a year's hours is large. */
export function More({ summary, children }: MoreProps) {
  const [open, setOpen] = useState(false);
  return (
    <details onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>{summary}</summary>
      {open && children()}
    </details>
  );
}
