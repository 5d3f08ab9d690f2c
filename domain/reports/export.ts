import { isoTime } from "../time.ts";
import { describeEvent, type StoredEvent } from "./event-list.ts";

export const jsonLine = (event: StoredEvent): string => `${JSON.stringify(describeEvent(event))}\n`;

const COLUMNS = ["id", "timestamp", "created_at", "event_type", "user_id", "session_id", "properties"];

export const csvHead = `${COLUMNS.join(",")}\r\n`;

// Full-width signs too: spreadsheets of East Asian locales take them for the narrow ones.
const FORMULA = /^[=+\-@＝＋－＠\t\r\n]/;

/**
 * A text as RFC 4180 has it. Anybody may send an event: one that a spreadsheet would take for a formula is given an
 * apostrophe, which spreadsheets hide. Lines of JSON leave everything as it is.
 */
function cell(text: string | null): string {
  if (text === null) return "";
  const harmless = FORMULA.test(text) ? `'${text}` : text;
  return `"${harmless.replaceAll('"', '""')}"`;
}

export const csvLine = (event: StoredEvent): string => {
  const { id, occurred_at, created_at, event_type, user_id, session_id, properties } = event;
  const texts = [event_type, user_id, session_id, properties].map(cell);
  return `${[id, isoTime(occurred_at), isoTime(created_at), ...texts].join(",")}\r\n`;
};
