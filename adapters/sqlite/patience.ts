import { nobodyWaits, tooLong } from "../../domain/reports/answer.ts";

/** How long an answer may take, and whether anybody still waits for it. */
export interface Patience {
  /** Goes on, or throws why not. Cheap enough for every few hundred rows. */
  check(): void;
}

export function patienceOf(deadline: number, limitMs: number, isGone: () => boolean): Patience {
  return {
    check() {
      if (isGone()) throw nobodyWaits();
      if (Date.now() > deadline) throw tooLong(limitMs);
    },
  };
}
