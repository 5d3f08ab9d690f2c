import { z } from "zod";

export type ListingFormat = "ndjson" | "csv";

/** One line of a listing. Its text is made when it is sent, because that may take long for many lines. */
export interface Line {
  readonly text: () => string;
  /** Opaque text from which a later request continues after this line. */
  readonly cursor: () => string;
}

interface Traits {
  /** The name of a downloaded file, without extension. */
  readonly name: string;
  readonly format: ListingFormat;
  /** Text before the first line, such as a CSV header. */
  readonly head: string;
  /** The caller asked for one page of at most this many lines. `portions` has one more where there is a next page. */
  readonly limit: number | undefined;
  /** The lines in order, about 64 KiB at a time. */
  readonly portions: AsyncIterable<readonly Line[]>;
}

/**
 * An answer of any length: lines that are read from storage while they are sent. An adapter that cannot stream, or whose
 * answers are bounded, takes the lines that fit and tells the caller the cursor of the last one.
 */
export class Listing {
  readonly traits: Traits;

  constructor(traits: Traits) {
    this.traits = traits;
  }
}

/** The reply schema of an endpoint that answers with a listing in one of these formats. */
export const listingOf = (...formats: ListingFormat[]) =>
  z.instanceof(Listing).meta({ listingFormats: formats });
