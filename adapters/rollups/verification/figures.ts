import { entry } from "../build/growth.ts";

/** A figure of the rollups, or the same figure as the events have it. */
export interface Figure {
  readonly count: number;
  /** The counted items as a text, so that two figures with the same count can differ. */
  readonly content: string;
}

/** Figures by what they are, in the words of a message: `events of "page_view" in the hour 2026-11-22T10`. */
export type Figures = Map<string, Figure>;

/** A figure that the rollups have, and another one that the events have. */
export interface Difference {
  readonly what: string;
  readonly inRollups: number;
  readonly inEvents: number;
}

/** The first differences, and how many there are. */
export interface Differences {
  readonly first: readonly Difference[];
  readonly all: number;
}

// A damaged table may have millions.
const MOST_LISTED = 20;

/** Compares figures, and remembers where they differ. */
export class Comparison {
  readonly #first: Difference[] = [];
  #all = 0;

  add(inRollups: Figures, inEvents: Figures): void {
    for (const what of new Set([...inRollups.keys(), ...inEvents.keys()])) {
      const [stored, counted] = [inRollups.get(what), inEvents.get(what)];
      if (stored?.count === counted?.count && stored?.content === counted?.content) continue;
      this.#all += 1;
      if (this.#first.length === MOST_LISTED) continue;
      this.#first.push({ what, inRollups: stored?.count ?? 0, inEvents: counted?.count ?? 0 });
    }
  }

  get differences(): Differences {
    return { first: this.#first, all: this.#all };
  }
}

/** The items of each key, which together become one figure: their order does not matter. */
export class ItemFigures {
  readonly #items = new Map<string, string[]>();

  add(what: string, item: string): void {
    entry(this.#items, what, () => []).push(item);
  }

  get figures(): Figures {
    return new Map(
      [...this.#items].map(([what, items]) => [
        what,
        { count: items.length, content: items.sort().join("\n") },
      ]),
    );
  }
}
