/**
 * Simulated experiments, to measure how often a verdict is false when results are read repeatedly. Seeded: the
 * same number of tests gives the same figures. The suite runs few tests, the bench many. It simulates the product's
 * own comparison, floors included.
 */
import type { Arm, ArmPeriod } from "../../../domain/experiments/results/arms.ts";
import { compare } from "../../../domain/experiments/results/comparison.ts";
import type { MeasuredMetric } from "../../../domain/experiments/results/measured-metric.ts";
import type { Level } from "../../../domain/statistics/look.ts";
import { seededRandom } from "../../../domain/statistics/seeded-random.ts";

/** Uniform numbers in [0, 1). */
export type Random = () => number;

export const normal = (random: Random): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

/** How one user's observation is drawn. */
export interface Shape {
  readonly kind: MeasuredMetric["kind"];
  readonly draw: (random: Random) => number;
}

export const conversions = (rate: number): Shape => ({
  kind: "conversion",
  draw: (random) => (random() < rate ? 1 : 0),
});

export const counts = (rate: number): Shape => ({ ...conversions(rate), kind: "count" });

export const normals = (mean: number, deviation: number): Shape => ({
  kind: "mean",
  draw: (random) => mean + deviation * normal(random),
});

/** A share of buyers, each with a log-normal amount. */
export const revenue = (buyers: number, sigma: number): Shape => ({
  kind: "mean",
  draw: (random) => (random() < buyers ? Math.exp(sigma * normal(random)) : 0),
});

/** Revenue of which a fifth is returned later, some of it with a fee. */
export const refunds: Shape = {
  kind: "mean",
  draw: (random) => {
    if (random() >= 0.05) return 0;
    const amount = Math.exp(normal(random));
    return random() < 0.2 ? -0.1 * amount : amount;
  },
};

/** The shapes of which each was simulated when the method was chosen: docs/statistics.md. */
export const shapes: Readonly<Record<string, Shape>> = {
  normal: normals(0, 1),
  "conversion 0.1 %": conversions(0.001),
  "conversion 1 %": conversions(0.01),
  "conversion 10 %": conversions(0.1),
  "conversion 50 %": conversions(0.5),
  "conversion 90 %": conversions(0.9),
  "conversion 99 %": conversions(0.99),
  "conversion 99.9 %": conversions(0.999),
  "count 2 %": counts(0.02),
  "revenue, σ 1": revenue(0.03, 1),
  "revenue, σ 1.6": revenue(0.03, 1.6),
  "revenue, σ 2": revenue(0.03, 2),
  "everybody buys, σ 2": revenue(1, 2),
  refunds,
};

/** Users who are assigned under one set of weights, and what they do. */
export interface Phase {
  /** Weights of the arms, the control's first. */
  readonly weights: readonly number[];
  readonly users: number;
  /** One for every arm, or one for each. */
  readonly shapes: Shape | readonly Shape[];
}

export interface Setup {
  readonly phases: readonly Phase[];
  readonly looks: number;
  readonly alpha?: number;
}

interface Totals {
  users: number;
  withValue: number;
  sum: number;
  squares: number;
}

const metricOf = (kind: Shape["kind"]): MeasuredMetric => ({
  metric_name: "m",
  kind,
  direction: "increase",
  role: "primary",
  declared_at: null,
  margin: null,
  cap: null,
  unit: null,
});

const shapeOf = (phase: Phase, arm: number): Shape => {
  const shape = "kind" in phase.shapes ? phase.shapes : phase.shapes[arm];
  if (shape === undefined) throw new Error(`arm ${arm} has no shape`);
  return shape;
};

function periodOf({ users, withValue, sum, squares }: Totals): ArmPeriod {
  const sums = {
    metric_name: "m",
    users_with_value: withValue,
    users_not_zero: withValue,
    count: withValue,
    y: { high: sum, low: 0 },
    yy: { high: squares, low: 0 },
    covariate: null,
    denominator: null,
  };
  return { users, metrics: new Map([["m", sums]]) };
}

/** One experiment while it fills with users. */
class Simulated {
  readonly #phases: readonly Phase[];
  readonly #random: Random;
  readonly #arms: readonly Totals[][];
  readonly #metric: MeasuredMetric;

  constructor(phases: readonly Phase[], random: Random) {
    const [first] = phases;
    if (first === undefined) throw new Error("a simulation needs a phase");
    this.#phases = phases;
    this.#random = random;
    this.#arms = first.weights.map(() => phases.map(() => ({ users: 0, withValue: 0, sum: 0, squares: 0 })));
    this.#metric = metricOf(shapeOf(first, 0).kind);
  }

  assign(period: number): void {
    const phase = this.#phases[period];
    if (phase === undefined) return;
    const arm = this.#armOf(phase.weights);
    const totals = this.#arms[arm]?.[period];
    if (totals === undefined) return;
    const value = shapeOf(phase, arm).draw(this.#random);
    totals.users += 1;
    totals.withValue += value === 0 ? 0 : 1;
    totals.sum += value;
    totals.squares += value * value;
  }

  #armOf(weights: readonly number[]): number {
    let rest = this.#random();
    for (let arm = 0; arm < weights.length - 1; arm++) {
      rest -= weights[arm] ?? 0;
      if (rest < 0) return arm;
    }
    return weights.length - 1;
  }

  /** How each variant is judged now. */
  judged(level: Level) {
    const arms = this.#arms.map(
      (periods, id): Arm => ({
        variant: {
          id,
          variant_name: `arm ${id}`,
          description: null,
          weight: 1,
          is_control: id === 0,
          value: null,
        },
        periods: periods.map(periodOf),
      }),
    );
    const [control, ...variants] = arms;
    if (control === undefined) return [];
    return variants.map((variant) => compare(this.#metric, control, variant, level).reply.judged);
  }
}

/** Users at the first look at which a variant was judged better or worse; infinite where there was none. */
export function firstVerdict({ phases, looks, alpha = 0.05 }: Setup, random: Random): number {
  const simulated = new Simulated(phases, random);
  const level: Level = { alpha, comparisons: (phases[0]?.weights.length ?? 2) - 1, look: "any" };
  const every = phases.reduce((sum, { users }) => sum + users, 0) / looks;
  let assigned = 0;
  for (const [period, { users }] of phases.entries()) {
    for (let user = 0; user < users; user++) {
      simulated.assign(period);
      assigned += 1;
      const isLook = Math.floor(assigned / every) > Math.floor((assigned - 1) / every);
      if (isLook && simulated.judged(level).some((one) => one === "better" || one === "worse"))
        return assigned;
    }
  }
  return Number.POSITIVE_INFINITY;
}

/** Share of the tests with a verdict at any look. */
export function verdictShare(setup: Setup, tests: number, seed: number): number {
  const random = seededRandom(seed);
  const runs = Array.from({ length: tests }, () => firstVerdict(setup, random));
  return runs.filter(Number.isFinite).length / tests;
}

export const splits: Readonly<Record<string, readonly [number, number]>> = {
  "50/50": [0.5, 0.5],
  "80/20": [0.8, 0.2],
  "90/10": [0.9, 0.1],
  "95/5": [0.95, 0.05],
  "99/1": [0.99, 0.01],
};

/** A test of a thing against itself, up to 10,000 users (20,000 at 99/1), looked at every 1 % of them. */
export function alike(shape: Shape, weights: readonly number[], looks = 100): Setup {
  const users = Math.min(...weights) <= 0.01 ? 20_000 : 10_000;
  return { phases: [{ weights, users, shapes: shape }], looks };
}

const TEN_PERIODS = Array.from({ length: 10 }, (_, period) => (period % 2 === 0 ? [0.5, 0.5] : [0.8, 0.2]));

/** Weights that change while the level does: from 20 % to 10 %, or from a mean of 10 to 14. */
const ramps: Readonly<Record<string, readonly (readonly number[])[]>> = {
  "50/50 then 10/90": [
    [0.5, 0.5],
    [0.1, 0.9],
  ],
  "99/1, 90/10, 50/50": [
    [0.99, 0.01],
    [0.9, 0.1],
    [0.5, 0.5],
  ],
  "three arms, 90/5/5 then 34/33/33": [
    [0.9, 0.05, 0.05],
    [0.34, 0.33, 0.33],
  ],
  "ten periods, 50/50 and 80/20 in turn": TEN_PERIODS,
};

const drifting: Readonly<Record<string, (progress: number) => Shape>> = {
  conversion: (progress) => conversions(0.2 - 0.1 * progress),
  mean: (progress) => normals(10 + 4 * progress, 3),
  revenue: (progress) => revenue(0.04 - 0.02 * progress, 1),
};

/** Section "weight periods" of docs/statistics.md: no effect in any of them. */
export const weightChanges: readonly (readonly [name: string, setup: Setup])[] = Object.entries(
  ramps,
).flatMap(([ramp, periods]) =>
  Object.entries(drifting).map(([kind, shapeAt]): [string, Setup] => [
    `${ramp}, ${kind}`,
    {
      phases: periods.map((weights, index) => ({
        weights,
        users: 12_000 / periods.length,
        shapes: shapeAt(index / (periods.length - 1)),
      })),
      looks: 120,
    },
  ]),
);

/** Several arms that are alike. */
export const severalArms: readonly (readonly [name: string, setup: Setup])[] = [
  ["three equal arms", [1 / 3, 1 / 3, 1 / 3]],
  ["five equal arms", [0.2, 0.2, 0.2, 0.2, 0.2]],
  ["80/5/5/5/5", [0.8, 0.05, 0.05, 0.05, 0.05]],
].flatMap(([name, weights]) =>
  (["conversion 1 %", "conversion 99 %", "revenue, σ 1"] as const).map((shape): [string, Setup] => [
    `${name}, ${shape}`,
    alike(shapes[shape] ?? refunds, weights as number[], 25),
  ]),
);

/** Users of complete arms uploaded one arm after the other, in batches. */
export const uploads: readonly (readonly [name: string, setup: Setup])[] = (
  ["conversion 1 %", "conversion 99 %", "revenue, σ 1"] as const
).map((shape): [string, Setup] => {
  const batches = Array.from({ length: 10 }, (_, batch) => (batch % 2 === 0 ? [1, 0] : [0, 1]));
  return [
    `arm by arm, ${shape}`,
    {
      phases: batches.map((weights) => ({ weights, users: 1_000, shapes: shapes[shape] ?? refunds })),
      looks: 100,
    },
  ];
});

/** A true effect, and the share of tests that found it when the method was chosen, in percent. */
export interface PowerRow {
  readonly name: string;
  readonly setup: Setup;
  readonly found: number;
}

const effect = (
  name: string,
  control: Shape,
  variant: Shape,
  weights: readonly number[],
  users: number,
  found: number,
): PowerRow => ({
  name: `${name}, ${weights.map((weight) => 100 * weight).join("/")}`,
  setup: { phases: [{ weights, users, shapes: [control, variant] }], looks: 100 },
  found,
});

export const powerRows: readonly PowerRow[] = [
  effect("10 → 12 %", conversions(0.1), conversions(0.12), [0.5, 0.5], 20_000, 92.2),
  effect("10 → 8 %", conversions(0.1), conversions(0.08), [0.8, 0.2], 31_249, 95.5),
  effect("10 → 12 %", conversions(0.1), conversions(0.12), [0.9, 0.1], 55_555, 89.7),
  effect("10 → 8 %", conversions(0.1), conversions(0.08), [0.9, 0.1], 55_555, 96.0),
  effect("1 → 1.5 %", conversions(0.01), conversions(0.015), [0.5, 0.5], 40_000, 91.9),
  effect("1 → 1.5 %", conversions(0.01), conversions(0.015), [0.9, 0.1], 80_000, 64.8),
  effect("0.1 → 0.3 %", conversions(0.001), conversions(0.003), [0.5, 0.5], 40_000, 89.6),
  effect("0 → 1 %", conversions(0), conversions(0.01), [0.5, 0.5], 4_000, 98.4),
  effect("98 → 99 %", conversions(0.98), conversions(0.99), [0.5, 0.5], 15_000, 97.7),
  effect("3 → 4.5 % buy, σ 1", revenue(0.03, 1), revenue(0.045, 1), [0.5, 0.5], 20_000, 63.3),
];
