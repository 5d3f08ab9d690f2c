import type { Fault } from "../../domain/failure.ts";
import type { Act, Fields } from "../../handlers/compatible/intake.ts";

/** A part of a row: an event, a link of two ids, both, or a fault where nothing can be imported. */
export type Item = Pick<Act, "event" | "link"> | { readonly fault: Fault };

/** An export of another product. */
export interface Source {
  /** The product's name. */
  readonly product: string;
  /** The files that can be imported, as a message names them to users who chose other ones. */
  readonly origin: string;
  /** The fields of a row that are read. All others are reported as not imported. */
  readonly read: ReadonlySet<string>;
  /** One row may have many items: they are made one after the other. */
  itemsOf(row: Fields): Iterable<Item>;
}
