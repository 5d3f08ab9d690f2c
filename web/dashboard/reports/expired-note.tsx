import type { Meta } from "../../../domain/reports/answer.ts";
import { moment } from "../parts/format.ts";

interface ExpiredNoteProps {
  readonly meta: Meta;
  readonly zone: string;
}

/** Says before which time events have expired and only their number is kept. */
export const ExpiredNote = ({ meta: { counts_only_before: before, exact }, zone }: ExpiredNoteProps) =>
  before === undefined ? null : (
    <p class="hint">
      Some events before {moment(before, zone)} have expired, and only their number is kept. Trends of all
      events count them; unique users, sessions, breakdowns, conditions and every other report leave them out.
      {!exact && " Figures next to the ends of the range may be off by the events of a quarter of an hour."}
    </p>
  );
