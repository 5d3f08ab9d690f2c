/** The kinds of errors that a caller is told about. The edge gives each its HTTP status. */
export type FailureCode =
  | "invalid"
  | "unauthorized"
  | "forbidden"
  | "not_found"
  | "method_not_allowed"
  | "timeout"
  | "conflict"
  | "too_large"
  | "unsupported_media_type"
  | "rate_limited"
  | "internal"
  | "unavailable";

/** One fault of a request: where it is (`variants[1].weight`, empty for the whole) and what to do about it. */
export interface Fault {
  readonly path: string;
  readonly message: string;
}

interface Circumstances {
  readonly faults?: readonly Fault[];
  /** How many faults there are besides those in `faults`. */
  readonly moreFaults?: number;
  readonly retryAfterSeconds?: number;
  readonly allow?: readonly string[];
  readonly cause?: unknown;
}

/** An error that the caller is told about. Anything else that is thrown is a defect of the server. */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly code: FailureCode;
  readonly faults: readonly Fault[];
  readonly moreFaults: number;
  readonly retryAfterSeconds: number | undefined;
  readonly allow: readonly string[] | undefined;

  constructor(code: FailureCode, detail: string, circumstances: Circumstances = {}) {
    super(detail, { cause: circumstances.cause });
    this.code = code;
    this.faults = circumstances.faults ?? [];
    this.moreFaults = circumstances.moreFaults ?? 0;
    this.retryAfterSeconds = circumstances.retryAfterSeconds;
    this.allow = circumstances.allow;
  }
}

/** The outcome of a check: a value, or the reasons why there is none. */
export type Checked<T> = { readonly value: T } | { readonly faults: readonly Fault[] };
