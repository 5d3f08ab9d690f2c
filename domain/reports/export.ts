import { mostFrequentProperties, type TypeSummary } from "./catalogue.ts";
import { isObjectText } from "./condition.ts";
import { describeEvent, type StoredEvent } from "./event-list.ts";

/** How an exported file is written: what it begins with, and a line for each event. */
export interface ExportFormat {
  readonly head: string;
  readonly line: (event: StoredEvent) => string;
}

/** The properties as JSON. An event of another program may have a text that is no JSON object: it has no properties. */
function propertiesJson(text: string | null): string {
  if (text === null) return "null";
  return isObjectText(text) ? text.replaceAll(/[\r\n]+/g, " ") : "{}";
}

/**
 * One event as a line of JSON. The stored properties are copied as they are: parsing them would round a number that
 * another program has written into the table. Valid JSON has line breaks between its tokens only, never in a string.
 */
function jsonLine(event: StoredEvent): string {
  // The properties are parsed once, to check them: for wide events that is nearly all of the work.
  const { properties: _, ...rest } = describeEvent({ ...event, properties: null });
  return `${JSON.stringify(rest).slice(0, -1)},"properties":${propertiesJson(event.properties)}}\n`;
}

export const ndjson: ExportFormat = { head: "", line: jsonLine };

// A spreadsheet that finds no byte order mark reads UTF-8 as a code page, and breaks every letter beyond ASCII.
const BYTE_ORDER_MARK = "\uFEFF";

// Enough for the properties of most sites, and far below the 16,384 columns of a spreadsheet.
const MAX_PROPERTY_COLUMNS = 100;

const FIXED_COLUMNS = [
  "id",
  "timestamp",
  "client_timestamp",
  "created_at",
  "event_type",
  "user_id",
  "session_id",
];

// Includes full-width signs: spreadsheets of East Asian locales read them as the narrow ones.
const FORMULA = /^[=+\-@＝＋－＠\t\r\n]/;

/**
 * A text as RFC 4180 writes it. Events can come from any visitor, so a text that a spreadsheet would run as a formula gets
 * an apostrophe in front, which spreadsheets hide.
 */
function cell(text: string | null): string {
  if (text === null) return "";
  const harmless = FORMULA.test(text) ? `'${text}` : text;
  return `"${harmless.replaceAll('"', '""')}"`;
}

/** A property's value: a number or a boolean bare, so that a spreadsheet reads it as one; a list or an object as JSON. */
function valueCell(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "string") return cell(value);
  return typeof value === "object" ? cell(JSON.stringify(value)) : String(value);
}

/** The properties that have no column of their own, as JSON. */
function otherProperties(properties: Readonly<Record<string, unknown>>, shown: ReadonlySet<string>): string {
  const others = Object.entries(properties).filter(([name]) => !shown.has(name));
  return others.length === 0 ? "" : cell(JSON.stringify(Object.fromEntries(others)));
}

/**
 * CSV for spreadsheets. The most frequent properties of the exported types have a column `properties.<name>` each; what
 * an event has beyond these is JSON in the last column, so that nothing is left out.
 */
export function csvOf(types: readonly TypeSummary[], eventTypes: readonly string[]): ExportFormat {
  const names = mostFrequentProperties(types, eventTypes).slice(0, MAX_PROPERTY_COLUMNS);
  const shown = new Set(names);
  const columns = [...FIXED_COLUMNS, ...names.map((name) => cell(`properties.${name}`)), "other_properties"];
  return {
    head: `${BYTE_ORDER_MARK}${columns.join(",")}\r\n`,
    line(event) {
      const { id, timestamp, client_timestamp, created_at, event_type, user_id, session_id, ...rest } =
        describeEvent(event);
      const properties = rest.properties ?? {};
      const cells = [
        ...[event_type, user_id, session_id].map(cell),
        ...names.map((name) => valueCell(Object.hasOwn(properties, name) ? properties[name] : undefined)),
        otherProperties(properties, shown),
      ];
      return `${[id, timestamp, client_timestamp ?? "", created_at, ...cells].join(",")}\r\n`;
    },
  };
}
