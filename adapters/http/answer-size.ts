import { Failure } from "../../domain/failure.ts";

/** What one answer of a function may hold, headers and all, as the JSON that it is sent in: 6 MiB, and some for the rest. */
const MAX_FUNCTION_BYTES = 6 * 1024 * 1024 - 16 * 1024;
// No character takes more than six bytes of JSON.
const MAX_BYTES_OF_ONE = 6;

const DETAIL =
  "The answer is larger than the 6 MiB that one may have here: " +
  "ask for fewer events, types or groups, for a shorter time or for longer intervals.";

/** Refuses an answer that a function cannot give, instead of leaving its caller with a gateway's bare 500. */
export function refuseTooLong(text: string): void {
  if (text.length * MAX_BYTES_OF_ONE <= MAX_FUNCTION_BYTES) return;
  if (Buffer.byteLength(JSON.stringify(text)) <= MAX_FUNCTION_BYTES) return;
  throw new Failure("invalid", DETAIL, { faults: [{ path: "", message: DETAIL }] });
}
