import { z } from "zod";
import type { Level } from "../../statistics/look.ts";
import { seededRandom } from "../../statistics/seeded-random.ts";
import { uniformity } from "../../statistics/uniformity.ts";
import type { MetricSums } from "../cells.ts";
import type { Variant } from "../experiment.ts";
import { ArmTable } from "./arms.ts";
import { compare } from "./comparison.ts";
import type { MeasuredMetric } from "./measured-metric.ts";
import { count, figure, quote } from "./verdict/wording.ts";

/** One user's observation of a metric, and of its denominator where it is a ratio. */
export interface Observation {
  readonly y: number;
  readonly d: number;
}

/** The experiment's own users: those with a value one by one, the others by their number. */
export interface UserSample {
  readonly users: number;
  readonly withValue: readonly Observation[];
}

/** Of more users than this a part is split, which tells as much. */
export const MAX_SAMPLE = 50_000;

const ROUNDS = 500;
const ALPHA = 0.05;
/** Of 500 rounds, 5 % and three standard errors. */
const MOST_FALSE = Math.floor(ROUNDS * (ALPHA + 3 * Math.sqrt((ALPHA * (1 - ALPHA)) / ROUNDS)));

const FalseVerdicts = z.strictObject({ count: z.int(), share: z.number() });

export const SelfCheck = z
  .strictObject({
    test_id: z.int(),
    metric_name: z.string(),
    rounds: z.int(),
    users: z.int(),
    /** More users than that are in the experiment, and were left out. */
    capped: z.boolean(),
    seed: z.int(),
    false_verdicts: z.strictObject({ any_time: FalseVerdicts, planned: FalseVerdicts }),
    /** Of the planned look: a tenth of the rounds should be in each tenth of 0 to 1, or fewer in the lowest. */
    p_values: z.strictObject({
      tenths: z.array(z.int()),
      excess: z.number(),
      p_value: z.number(),
    }),
    ok: z.boolean(),
    summary: z.string(),
  })
  .meta({ id: "SelfCheck" });
export type SelfCheck = z.infer<typeof SelfCheck>;

/** Users to be split at random, and the seed. */
export interface Question {
  readonly test_id: number;
  readonly metric: MeasuredMetric;
  readonly sample: UserSample;
  readonly capped: boolean;
  readonly seed: number;
}

interface Totals {
  users: number;
  withValue: number;
  notZero: number;
  y: number;
  yy: number;
  d: number;
  dd: number;
  yd: number;
}

const ARMS: readonly Variant[] = [0, 1].map((id) => ({
  id,
  variant_name: `half ${id}`,
  description: null,
  weight: 1,
  is_control: id === 0,
  value: null,
}));

const nothing = (): Totals => ({ users: 0, withValue: 0, notZero: 0, y: 0, yy: 0, d: 0, dd: 0, yd: 0 });

/** Gives every user of the sample to one half or the other by the toss of a coin. */
function halved({ users, withValue }: UserSample, random: () => number): [Totals, Totals] {
  const halves: [Totals, Totals] = [nothing(), nothing()];
  for (const { y, d } of withValue) {
    const half = halves[random() < 0.5 ? 0 : 1];
    half.users += 1;
    half.withValue += 1;
    half.notZero += y === 0 ? 0 : 1;
    half.y += y;
    half.yy += y * y;
    half.d += d;
    half.dd += d * d;
    half.yd += y * d;
  }
  for (let rest = users - withValue.length; rest > 0; rest--) halves[random() < 0.5 ? 0 : 1].users += 1;
  return halves;
}

const exact = (high: number) => ({ high, low: 0 });

const sumsOf = (metric_name: string, totals: Totals): MetricSums => ({
  metric_name,
  users_with_value: totals.withValue,
  users_not_zero: totals.notZero,
  count: totals.withValue,
  y: exact(totals.y),
  yy: exact(totals.yy),
  covariate: null,
  denominator: { d: exact(totals.d), dd: exact(totals.dd), yd: exact(totals.yd) },
});

function judgedBy(metric: MeasuredMetric, halves: readonly Totals[], look: Level["look"]) {
  const cells = halves.map((totals, variant_id) => ({
    variant_id,
    period: 0,
    users: totals.users,
    metrics: [sumsOf(metric.metric_name, totals)],
  }));
  const [control, variant] = new ArmTable(ARMS, cells).arms;
  if (control === undefined || variant === undefined) return undefined;
  return compare(metric, control, variant, { alpha: ALPHA, comparisons: 1, look }).reply;
}

/**
 * Splits the experiment's own users in two at random, 500 times, and judges each split as the product judges an
 * experiment. Nothing differs between the halves, so a verdict is false: at most 5 % of the rounds should have one.
 * A generator, for one round at a time: the caller decides when other work goes first. Returns undefined where the sample
 * is too small for any verdict.
 */
export function* selfCheck(question: Question): Generator<undefined, SelfCheck | undefined> {
  const random = seededRandom(question.seed);
  const metric = { ...question.metric, direction: question.metric.direction ?? ("increase" as const) };
  const isFalse = (judged: string | null | undefined) => judged === "better" || judged === "worse";
  const pValues: number[] = [];
  let [anyTime, planned] = [0, 0];
  for (let round = 0; round < ROUNDS; round++) {
    const halves = halved(question.sample, random);
    const atAnyTime = judgedBy(metric, halves, "any");
    const atTheEnd = judgedBy(metric, halves, "planned");
    if (atAnyTime?.p_value == null || atTheEnd?.p_value == null) return undefined;
    anyTime += isFalse(atAnyTime.judged) ? 1 : 0;
    planned += isFalse(atTheEnd.judged) ? 1 : 0;
    pValues.push(atTheEnd.p_value);
    yield;
  }
  return reportOf(question, pValues, anyTime, planned);
}

function reportOf(
  { test_id, metric, sample, capped, seed }: Question,
  pValues: readonly number[],
  anyTime: number,
  planned: number,
): SelfCheck {
  const shareOf = (verdicts: number) => ({ count: verdicts, share: verdicts / ROUNDS });
  const ok = anyTime <= MOST_FALSE && planned <= MOST_FALSE;
  const found = `${figure((100 * anyTime) / ROUNDS)} % of ${ROUNDS} random splits of ${count(sample.users)} users had a verdict on ${quote(metric.metric_name)} at any time, and ${figure((100 * planned) / ROUNDS)} % at a planned look; at most 5 % should.`;
  return {
    test_id,
    metric_name: metric.metric_name,
    rounds: ROUNDS,
    users: sample.users,
    capped,
    seed,
    false_verdicts: { any_time: shareOf(anyTime), planned: shareOf(planned) },
    p_values: uniformity(pValues),
    ok,
    summary: ok
      ? found
      : `${found} Do not decide by this metric: a cap on its values, or another kind of metric, may help.`,
  };
}
