import { Failure } from "../../../domain/failure.ts";
import type { Line, Listing, ListingFormat } from "../../../handlers/contract/listing.ts";
import type { HttpRequest, HttpResponse } from "../message.ts";
import { bytesAsJson } from "./answer-size.ts";

export const LISTING_TYPES: Record<ListingFormat, string> = {
  ndjson: "application/x-ndjson; charset=utf-8",
  csv: "text/csv; charset=utf-8",
};

type InTurn = HttpRequest["inTurn"];

/** Makes a text in turn with other long work. Rejects where the client has left. */
const madeInTurn = (inTurn: InTurn, make: () => string): Promise<string> =>
  new Promise((resolve, reject) =>
    inTurn((failure) => {
      if (failure !== undefined) return reject(failure);
      try {
        resolve(make());
      } catch (error) {
        reject(error);
      }
    }),
  );

/** Makes a text as `madeInTurn` does, however long its turn takes to come: a download has begun, and cannot be refused. */
async function madeAtLast(inTurn: InTurn, make: () => string): Promise<string> {
  for (;;) {
    try {
      return await madeInTurn(inTurn, make);
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== "unavailable") throw error;
    }
  }
}

async function* textOf({ traits: { head, portions } }: Listing, inTurn: InTurn): AsyncGenerator<string> {
  if (head !== "") yield head;
  for await (const portion of portions) {
    yield await madeAtLast(inTurn, () => portion.map(({ text }) => text()).join(""));
  }
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
      const text = line.text();
      bytes += bytesAsJson(text);
      const isFull = taken.length > limit || bytes > maxBytes;
      if (isFull && last !== undefined) return { text: taken.join(""), continueAfter: last };
      taken.push(text);
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
  inTurn: InTurn,
): Promise<HttpResponse> {
  const { name, format, limit } = listing.traits;
  const headers: Record<string, string> = {
    "content-type": LISTING_TYPES[format],
    "content-disposition": `attachment; filename="${name}.${format}"`,
  };
  if (maxBytes === undefined && limit === undefined)
    return { status, headers, body: textOf(listing, inTurn) };
  const { text, continueAfter } = await pageOf(listing, maxBytes ?? Number.POSITIVE_INFINITY);
  if (continueAfter !== undefined) headers["x-next-cursor"] = continueAfter.cursor();
  return { status, headers, body: text };
}
