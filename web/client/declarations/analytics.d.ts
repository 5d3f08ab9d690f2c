/** What JSON can say. */
export type Json =
  | string
  | number
  | boolean
  | null
  | undefined
  | readonly Json[]
  | { readonly [name: string]: Json };

export type Properties = { readonly [name: string]: Json };

/** The four calls. None of them throws, and none of them waits for the network but the two that return a promise. */
export interface Analytics {
  /** Records that something happened, now. It is sent within about a second, together with what else there is. */
  track(event_type: string, properties?: Properties): void;

  /**
   * Records a value of a test's metric, 1 unless told otherwise. Ask `assign` first: what somebody did before they had a
   * variant is stored, but counts for none.
   */
  trackMetric(test: string | number, metric_name: string, value?: number): void;

  /**
   * The name of the user's variant, or null: show then what you show without the test. By a test's id it enrols the
   * user in this test, by a test's name in all that run.
   */
  assign(test: string | number): Promise<string | null>;

  /** The user's variant in every running test, by the test's name. */
  assignments(): Promise<Record<string, string | null>>;
}

/** What the clients of browsers and of backends have in common. */
export interface Options {
  /** A write key, where the server has keys. Whoever sees the page can read it: it can do nothing but write. */
  readonly key?: string | undefined;
  /** How long `assign` and `assignments` wait for a server that does not answer, in milliseconds: 1,000 by default. */
  readonly timeout?: number | undefined;
  /** Is told what the server refused for good, in the server's words: `console.warn` while you develop. */
  readonly onRefused?: ((problem: string) => void) | undefined;
}
