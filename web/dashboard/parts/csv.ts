const NUMBER = /^[−-]?\d{1,3}(?:,\d{3})*(?:\.\d+)?$/;
// A spreadsheet would run a text that begins so as a formula. A signed figure is none.
const FORMULA = /^(?:[=@\t\r]|[+-](?!\d))/;
const QUOTED = /[",\r\n]/;

/** A shown text as a field: numbers without separators, texts never as formulas, spaces as plain spaces. */
function fieldOf(shown: string): string {
  const text = shown.replaceAll(/[\u00a0\u2068\u2069\n\t ]+/g, " ").trim();
  if (NUMBER.test(text)) return text.replaceAll(",", "").replace("−", "-");
  const plain = text.replaceAll("−", "-");
  const safe = FORMULA.test(plain) ? `'${plain}` : plain;
  return QUOTED.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Rows as RFC 4180 has them. */
export const csvOf = (rows: readonly (readonly string[])[]): string =>
  rows.map((row) => `${row.map(fieldOf).join(",")}\r\n`).join("");

/** The cells of a table as they are shown. */
export const cellsOf = (table: HTMLTableElement): string[][] =>
  [...table.rows].map((row) => [...row.cells].map((cell) => cell.innerText));
