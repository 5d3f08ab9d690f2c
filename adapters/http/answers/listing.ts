import type { Line, Listing, ListingFormat } from "../../../handlers/contract/listing.ts";
import type { HttpResponse } from "../message.ts";
import { bytesAsJson } from "./answer-size.ts";

export const LISTING_TYPES: Record<ListingFormat, string> = {
  ndjson: "application/x-ndjson; charset=utf-8",
  csv: "text/csv; charset=utf-8",
};

async function* textOf({ traits: { head, portions } }: Listing): AsyncGenerator<string> {
  if (head !== "") yield head;
  for await (const portion of portions) yield portion.map(({ text }) => text).join("");
}

/** The lines that fit into one answer, and the last of them where more follow. */
async function pageOf(
  { traits: { head, limit = Number.POSITIVE_INFINITY, portions } }: Listing,
  maxBytes: number,
): Promise<{ text: string; continueAfter?: Line }> {
  const taken = [head];
  let bytes = bytesAsJson(head);
  let last: Line | undefined;
  for await (const portion of portions) {
    for (const line of portion) {
      bytes += bytesAsJson(line.text);
      const isFull = taken.length > limit || bytes > maxBytes;
      if (isFull && last !== undefined) return { text: taken.join(""), continueAfter: last };
      taken.push(line.text);
      last = line;
    }
  }
  return { text: taken.join("") };
}

/**
 * A listing as a download: streamed to its end, or one page where the caller asked for one or an answer is bounded.
 * The header `x-next-cursor` of a page continues it.
 */
export async function listingResponse(
  listing: Listing,
  status: number,
  maxBytes: number | undefined,
): Promise<HttpResponse> {
  const { name, format, limit } = listing.traits;
  const headers: Record<string, string> = {
    "content-type": LISTING_TYPES[format],
    "content-disposition": `attachment; filename="${name}.${format}"`,
  };
  if (maxBytes === undefined && limit === undefined) return { status, headers, body: textOf(listing) };
  const { text, continueAfter } = await pageOf(listing, maxBytes ?? Number.POSITIVE_INFINITY);
  if (continueAfter !== undefined) headers["x-next-cursor"] = continueAfter.cursor();
  return { status, headers, body: text };
}
