import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Experiment, ExperimentInput, newExperiment } from "../../domain/experiments/experiment.ts";
import type { StoredEvent } from "../../domain/reports/event-list.ts";
import type { MembersQuestion, VariantPeople } from "../../domain/reports/members.ts";
import type { Storage } from "../../domain/storage.ts";
import { cases } from "../random.ts";
import {
  type Enrolment,
  type FromArbitrary,
  historyOf,
  memberStories,
  type WantedMembers,
} from "./event-histories.ts";
import { plainFunnel, plainRetention, plainTrend } from "./plain-answers.ts";
import { AT, asked } from "./question-stories/asked.ts";

// Reports about the people of experiments, compared with a plain list of events and assignments.

const VARIANTS = ["variant 0", "variant 1", "variant 2"];

async function experimentIn(storage: Storage, test_name: string): Promise<Experiment> {
  const variants = VARIANTS.map((variant_name) => ({ variant_name }));
  const input = ExperimentInput.parse({ test_name, variants });
  const experiment = await storage.createExperiment(newExperiment(input, "salt", AT));
  if (experiment === undefined) throw new Error("the name is taken");
  return experiment;
}

type Experiments = readonly [Experiment, Experiment];

const experimentAt = (experiments: Experiments, place: number): Experiment =>
  place === 0 ? experiments[0] : experiments[1];

const variantId = (experiment: Experiment, variant: number): number => experiment.variants[variant]?.id ?? 0;

/** Assigns a user, and adds the assignment to the plain list where it is the first one of all ids of the person. */
async function enrol(
  storage: Storage,
  experiments: Experiments,
  { experiment: place, variant, user_id, assigned_at }: Enrolment,
  known: Enrolment[],
): Promise<void> {
  const experiment = experimentAt(experiments, place);
  const candidate = { user_id, variant_id: variantId(experiment, variant), assigned_at };
  const [won] = await storage.assign(experiment.id, [candidate]);
  if (won?.created === true) known.push({ experiment: place, variant, user_id, assigned_at });
}

type Story = FromArbitrary<typeof memberStories>;
type People = WantedMembers["among"][number];

const peopleIn = (
  experiments: Experiments,
  { experiment: place, variants, until }: People,
): VariantPeople => {
  const experiment = experimentAt(experiments, place);
  const named = variants.map((variant) => ({
    id: variantId(experiment, variant),
    name: VARIANTS[variant] ?? "",
  }));
  return { test_id: experiment.id, test_name: experiment.test_name, variants: named, until };
};

const membersIn = (experiments: Experiments, { among, breakdown }: WantedMembers): MembersQuestion => ({
  among: among.map((people) => peopleIn(experiments, people)),
  ...(breakdown && { breakdown: peopleIn(experiments, breakdown) }),
});

interface Known {
  readonly enrolments: readonly Enrolment[];
  readonly personOf: (id: string) => string;
}

/** The person's one variant and the time of their first assignment; undefined without one, or with several variants. */
function stayOf(person: string | null, { experiment, variants }: People, { enrolments, personOf }: Known) {
  const own = enrolments.filter(
    (one) => one.experiment === experiment && person !== null && personOf(one.user_id) === person,
  );
  const [variant, ...others] = new Set(own.map((one) => one.variant));
  if (variant === undefined || others.length > 0 || !variants.includes(variant)) return undefined;
  return { variant, from: Math.min(...own.map(({ assigned_at }) => assigned_at)) };
}

const BREAKDOWN = "the variant of the person";

/** The events of members, each with the name of the person's variant as one more property. */
function eventsOfMembers(
  events: readonly StoredEvent[],
  { among, breakdown }: WantedMembers,
  known: Known,
): StoredEvent[] {
  const all = breakdown === undefined ? among : [...among, breakdown];
  return events.flatMap((event) => {
    const user_id = event.user_id === null ? null : known.personOf(event.user_id);
    const counts = all.every((people) => {
      const stay = stayOf(user_id, people, known);
      const isOver = people.until !== null && event.occurred_at > people.until;
      return stay !== undefined && event.occurred_at >= stay.from && !isOver;
    });
    if (!counts) return [];
    const stay = breakdown && stayOf(user_id, breakdown, known);
    const variant = stay && { [BREAKDOWN]: VARIANTS[stay.variant] };
    return [
      {
        ...event,
        user_id,
        properties: JSON.stringify({ ...JSON.parse(event.properties ?? "{}"), ...variant }),
      },
    ];
  });
}

/** The question without a property's breakdown where it has one by variant, and its plain form. */
function bothForms<Question extends { readonly breakdown?: string | undefined }>(
  question: Question,
  wanted: WantedMembers,
  experiments: Experiments,
) {
  const isDivided = wanted.breakdown !== undefined;
  const members = membersIn(experiments, wanted);
  return {
    rich: { ...question, breakdown: isDivided ? undefined : question.breakdown, members },
    plain: isDivided ? { ...question, breakdown: BREAKDOWN } : question,
  };
}

interface Asked extends Pick<Story, "trends" | "funnels" | "retentions"> {
  readonly experiments: Experiments;
  readonly history: ReturnType<typeof historyOf>;
  readonly enrolments: readonly Enrolment[];
}

/** Compares all answers of a storage with those of the plain list. */
async function compare(
  storage: Storage,
  { experiments, history, enrolments, ...questions }: Asked,
): Promise<void> {
  const known = { enrolments, personOf: history.personOf };
  const eventsOf = (wanted: WantedMembers) => eventsOfMembers(history.events, wanted, known);
  for (const { question, wanted } of questions.trends) {
    const { rich, plain } = bothForms(question, wanted, experiments);
    expect(await asked.trend(storage, rich)).toEqual(plainTrend(eventsOf(wanted), plain));
  }
  for (const { question, wanted } of questions.funnels) {
    const { rich, plain } = bothForms(question, wanted, experiments);
    expect(await asked.funnel(storage, rich)).toEqual(plainFunnel(eventsOf(wanted), plain));
  }
  for (const { question, wanted } of questions.retentions) {
    const rich = { ...question, members: membersIn(experiments, wanted) };
    expect(await asked.retention(storage, rich)).toEqual(plainRetention(eventsOf(wanted), question));
  }
}

async function tell(storage: Storage, { turns, ...questions }: Story): Promise<void> {
  const history = historyOf(storage);
  const { personOf } = history;
  let enrolments: Enrolment[] = [];
  const experiments: Experiments = [await experimentIn(storage, "one"), await experimentIn(storage, "two")];
  const agree = () => compare(storage, { ...questions, experiments, history, enrolments });
  for (const [turn, { events, enrolments: some, claims, erased }] of turns.entries()) {
    await history.append(events);
    for (const one of some) await enrol(storage, experiments, one, enrolments);
    await agree();
    for (const claim of claims) await history.link(claim);
    if (claims.length > 0) await agree();
    if (erased === undefined) continue;
    const person = personOf(erased);
    enrolments = enrolments.filter(({ user_id }) => personOf(user_id) !== person);
    history.erase(erased);
    await storage.eraseUser({ user_id: erased, receipt: `receipt ${turn}`, requested_at: AT });
    await agree();
  }
}

/** The contract of every engine: reports about the people of experiments equal their plain definition. */
export function memberContract(open: () => Promise<Storage>, runs: number): void {
  const agree = fc.asyncProperty(memberStories, async (story) => {
    const storage = await open();
    await tell(storage, story).finally(() => storage.close());
  });

  describe("reports about the people of experiments", () => {
    test("equal the reference implementation for any history", () =>
      fc.assert(agree, { numRuns: cases(runs) }));
  });
}
