import type { StoredEvent } from "../reports/event-list.ts";
import { ndjson } from "../reports/export.ts";
import { type Instant, isoTime } from "../time.ts";
import type { PersonVariant, StoredPerson } from "./profile.ts";

/** A stored value of a metric. */
export interface PersonValue {
  readonly id: number;
  readonly test_id: number;
  /** Null for a value that a version without users has stored. */
  readonly user_id: string | null;
  readonly variant: string;
  readonly metric_name: string;
  readonly value: number;
  readonly occurred_at: Instant;
}

const lineOf = (record: object): string => `${JSON.stringify(record)}\n`;

const linkLine = (user_id: string, { anonymous_id, linked_at }: StoredPerson["links"][number]): string =>
  lineOf({ record: "link", anonymous_id, user_id, linked_at: isoTime(linked_at) });

const assignmentLine = ({ attributes, assigned_at, ...assignment }: PersonVariant): string =>
  lineOf({
    record: "assignment",
    ...assignment,
    assigned_at: isoTime(assigned_at),
    attributes: attributes === null ? null : JSON.parse(attributes),
  });

/** The lines of an export that are few: links and assignments. */
export const firstLinesOf = ({ person_id, links, variants }: StoredPerson): string[] => [
  ...links.map((link) => linkLine(person_id, link)),
  ...variants.map(assignmentLine),
];

export const valueLine = ({ occurred_at, ...value }: PersonValue): string =>
  lineOf({ record: "value", ...value, timestamp: isoTime(occurred_at) });

/** An event as the export of events writes it, with the kind of the record before its fields. */
export const eventLine = (event: StoredEvent): string => `{"record":"event",${ndjson.line(event).slice(1)}`;
