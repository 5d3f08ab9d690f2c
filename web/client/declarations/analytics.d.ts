/** A value that JSON can express. */
export type Json =
  | string
  | number
  | boolean
  | null
  | undefined
  | readonly Json[]
  | { readonly [name: string]: Json };

export type Properties = { readonly [name: string]: Json };

/** The four calls. None of them throws, and only the two that return a promise wait for the network. */
export interface Analytics {
  /**
   * Records that something happened now. It is sent within about a second, together with what else is queued.
   *
   * @param event_type 1 to 200 characters.
   * @param properties At most 64 KiB as JSON, 255 keys and 8 levels.
   * @example analytics.track("button_click", { button_name: "submit" });
   */
  track(event_type: string, properties?: Properties): void;

  /**
   * Records a value of an experiment's metric. Read the variant first: a value from before is refused or does not count.
   *
   * @param test The experiment's name or id.
   * @param value At most 1e12 in size; 1 by default.
   * @example analytics.trackMetric("homepage_button_color", "revenue", 9.5);
   */
  trackMetric(test: string | number, metric_name: string, value?: number): void;

  /**
   * Reads the user's variant in one experiment, by name or id, and enrols the user in that experiment only. Answers null
   * where the user has no variant or the server does not answer in time: show what you show without the experiment.
   *
   * @example const colour = (await analytics.assign("homepage_button_color")) ?? "red";
   */
  assign(test: string | number): Promise<string | null>;

  /**
   * The user's variant in every experiment, by its name, in one request. This enrols in none of them: the user is
   * enrolled in an experiment when its property is read. Copying or printing the object reads all of them.
   *
   * @example const { homepage_button_color: colour } = await analytics.assignments();
   */
  assignments(): Promise<Record<string, string | null>>;
}

/** The options of both clients. */
export interface Options {
  /** A write key, where the server has keys. Everybody can read it in the page; it only allows to write. */
  readonly key?: string | undefined;
  /** How long `assign` and `assignments` wait for the server, in milliseconds: 1,000 by default. */
  readonly timeout?: number | undefined;
  /**
   * Is called with the reason for everything that will never be stored; for the server's refusals also with the HTTP
   * status. By default the console shows the first of each kind; to silence it, pass a function that does nothing.
   */
  readonly onRefused?: ((problem: string, status?: number) => void) | undefined;
}
