import { Failure } from "../../../domain/failure.ts";

// No character takes more than six bytes of JSON.
const MAX_BYTES_OF_CHARACTER = 6;

/** The size of a text as a string of JSON, which is how a function's answer is sent: a quote takes two bytes, some letters three. */
export const bytesAsJson = (text: string): number => Buffer.byteLength(JSON.stringify(text));

const detailOf = (maxBytes: number): string =>
  `The answer is larger than the ${Math.round(maxBytes / 1024 / 1024)} MiB that an answer may have here: ` +
  "ask for fewer events, types or groups, for a shorter time or for longer intervals.";

/** Refuses an answer that is larger than `maxBytes` as JSON, instead of leaving the caller with a gateway's bare 500. */
export function refuseTooLong(text: string, maxBytes: number): void {
  if (text.length * MAX_BYTES_OF_CHARACTER <= maxBytes) return;
  if (bytesAsJson(text) <= maxBytes) return;
  const detail = detailOf(maxBytes);
  throw new Failure("invalid", detail, { faults: [{ path: "", message: detail }] });
}
