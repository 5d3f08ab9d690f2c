import type { FailureCode, Fault } from "../../../domain/failure.ts";
import type { Instant } from "../../../domain/time.ts";

/** A refused request, or one refused item of a request that was otherwise taken. */
export interface RefusedInput {
  readonly endpoint: string;
  readonly what: "request" | "item";
  readonly code: FailureCode;
  /** One sentence without anything that the caller sent, except names of fields and unknown paths. */
  readonly detail: string;
  readonly faults: readonly Fault[];
}

/** Refusals of one kind: same endpoint, code and first fault. */
export interface Refusal extends RefusedInput {
  readonly count: number;
  readonly first_at: Instant;
  readonly last_at: Instant;
}

export interface RefusalCount extends Pick<RefusedInput, "endpoint" | "what" | "code"> {
  count: number;
}

const MAX_LISTED = 100;
const MAX_FAULTS = 3;
const MAX_TEXT = 200;

const cut = (text: string): string => (text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text);

/**
 * Counts refusals, and keeps the last hundred kinds of them. A client that repeats one mistake is one entry with a count, so
 * that it does not hide the mistakes of others.
 */
export class Refusals {
  /** The kind seen last comes last. */
  readonly #listed = new Map<string, Refusal>();
  readonly #counts = new Map<string, RefusalCount>();

  note(refused: RefusedInput, now: Instant): void {
    const { endpoint, what, code } = refused;
    this.#count(endpoint, what, code);
    const kind = JSON.stringify([endpoint, what, code, cut(refused.detail), cut(firstOf(refused.faults))]);
    const known = this.#listed.get(kind);
    this.#listed.delete(kind);
    this.#listed.set(kind, {
      ...(known ?? shortened(refused)),
      count: (known?.count ?? 0) + 1,
      first_at: known?.first_at ?? now,
      last_at: now,
    });
    const oldest = this.#listed.keys().next().value;
    if (this.#listed.size > MAX_LISTED && oldest !== undefined) this.#listed.delete(oldest);
  }

  #count(endpoint: string, what: RefusedInput["what"], code: FailureCode): void {
    const key = `${what} ${code} ${endpoint}`;
    const known = this.#counts.get(key);
    if (known === undefined) this.#counts.set(key, { endpoint, what, code, count: 1 });
    else known.count += 1;
  }

  /** The kinds of refusals, the one seen last first. */
  latest(): Refusal[] {
    return [...this.#listed.values()].reverse();
  }

  counts(): readonly RefusalCount[] {
    return [...this.#counts.values()];
  }
}

const firstOf = ([fault]: readonly Fault[]): string =>
  fault === undefined ? "" : fault.path + fault.message;

function shortened({ endpoint, what, code, detail, faults }: RefusedInput): RefusedInput {
  const first = faults.slice(0, MAX_FAULTS);
  return {
    endpoint,
    what,
    code,
    detail: cut(detail),
    faults: first.map(({ path, message }) => ({ path: cut(path), message: cut(message) })),
  };
}
