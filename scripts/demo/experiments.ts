import { choose } from "../../domain/experiments/assignment.ts";
import { ExperimentInput, type NewExperiment, newExperiment } from "../../domain/experiments/experiment.ts";
import type { MetricDefinition } from "../../domain/experiments/metric-declaration.ts";
import { DAY, HOUR, type Instant } from "../../domain/time.ts";
import type { Calendar } from "./calendar.ts";

/** An experiment of the shop, as its team set it up. */
export interface DemoTest {
  readonly experiment: NewExperiment;
  /** A user's first event of this kind while the experiment runs assigns them. */
  readonly exposure: MetricDefinition;
  /** Metrics that the shop tracks itself; the server computes the others from events. */
  readonly tracked: readonly MetricDefinition[];
}

export interface DemoTests {
  /** Blue is better, and the verdict is clear after a few weeks. */
  readonly button: DemoTest;
  /** The banner makes no difference, and the experiment still runs. */
  readonly banner: DemoTest;
}

const metric = (definition: Partial<MetricDefinition> & { metric_name: string }): MetricDefinition => ({
  kind: "mean",
  direction: "increase",
  role: "exploratory",
  ...definition,
});

const deciding = (event_type: string): MetricDefinition =>
  metric({ metric_name: event_type, kind: "conversion", role: "primary", event_type });

const sideEffects = [
  metric({ metric_name: "revenue", event_type: "purchase", property: "amount" }),
  metric({ metric_name: "wishlist_adds", kind: "count", event_type: "wishlist_add" }),
  metric({
    metric_name: "support_contacts",
    kind: "count",
    direction: "decrease",
    event_type: "support_contact",
  }),
];
const signupAndMore = [deciding("signup"), ...sideEffects];
const purchaseAndMore = [deciding("purchase"), ...sideEffects];

/** The declaration of a tracked metric: without the event of its values. */
const declared = ({ event_type: _, property: __, ...rest }: MetricDefinition): MetricDefinition => rest;

const button = {
  test_name: "signup_button_color",
  description: "Does a blue button on the home page make more visitors sign up?",
  variants: [
    { variant_name: "red", description: "As it was" },
    { variant_name: "blue", description: "The colour of the links" },
  ],
  metrics: signupAndMore,
};

const banner = {
  test_name: "free_shipping_banner",
  description: "Does a banner about free shipping on product pages make more visitors buy?",
  variants: [
    { variant_name: "no_banner", description: "As it was" },
    { variant_name: "banner", description: "Free shipping from 49 euros" },
  ],
  metrics: purchaseAndMore.map(declared),
  planned_users: 10_000,
};

const BUTTON_STARTS = 30 * DAY + 8 * HOUR;
const BANNER_STARTS = 62 * DAY + 8 * HOUR;

/** The two experiments of a story with this seed: the button is decided at any time, the banner once, at its planned users. */
export function demoTests(seed: number, { start }: Calendar): DemoTests {
  const started = (input: typeof button | typeof banner, after: number): NewExperiment =>
    newExperiment(ExperimentInput.parse(input), `${input.test_name}-${seed}`, start + after);
  return {
    button: {
      experiment: started(button, BUTTON_STARTS),
      exposure: metric({ metric_name: "exposure", event_type: "page_view", where: { page: "home" } }),
      tracked: [],
    },
    banner: {
      experiment: started(banner, BANNER_STARTS),
      exposure: metric({ metric_name: "exposure", event_type: "product_view" }),
      tracked: purchaseAndMore,
    },
  };
}

/** The index of a user's variant in the experiment; the ids from the storage have the same order. */
export function variantAt({ salt, traffic, variants }: NewExperiment, userId: string): number | undefined {
  const choice = choose(
    { salt, traffic, variants: variants.map(({ weight }, id) => ({ id, weight })) },
    userId,
  );
  return choice.kind === "variant" ? choice.variant_id : undefined;
}

/** Whether a user sees the blue button, which raises the chance of a sign-up. */
export function seesBlue({ experiment }: DemoTest, userId: string, at: Instant): boolean {
  if (at < experiment.created_at) return false;
  const index = variantAt(experiment, userId) ?? 0;
  return experiment.variants[index]?.variant_name === "blue";
}
