import type { input } from "zod";
import type { Plan, PlanInput } from "../../../domain/experiments/sample-size.ts";
import { planSampleSize } from "../access/api.ts";
import { inPercent } from "../access/problem.ts";
import { useAnswer } from "../access/use-answer.ts";
import { Faults, FilterField, type Option } from "../parts/fields.tsx";
import { Fold } from "../parts/fold.tsx";
import { difference, lift, number, shareOf } from "../parts/format.ts";
import { Answered } from "../parts/notices.tsx";
import { Table } from "../parts/table.tsx";
import { QuerySelect } from "../reports/filter-fields.tsx";
import { linkTo, setQuery } from "../use-address.ts";
import type { ViewProps } from "../view.ts";

type Body = input<typeof PlanInput>;

const KINDS: readonly Option[] = [
  { value: "conversion", label: "a share of users" },
  { value: "mean", label: "a mean per user" },
];
const QUESTIONS: readonly Option[] = [
  { value: "users", label: "users needed" },
  { value: "effect", label: "detectable effect" },
];
const TYPES: readonly Option[] = [
  { value: "relative", label: "relative, in %" },
  { value: "absolute", label: "absolute" },
];

const DEFAULTS = {
  kind: "conversion",
  asked: "users",
  baseline: "10",
  deviation: "20",
  effect: "10",
  effect_type: "relative",
  users: "20000",
  variants: "1",
  split: "50",
  power: "80",
  confidence: "95",
} as const;
type Name = keyof typeof DEFAULTS;

const read = (query: URLSearchParams, name: Name): string => query.get(name) ?? DEFAULTS[name];
const figure = (query: URLSearchParams, name: Name): number => Number(read(query, name));
const share = (query: URLSearchParams, name: Name): number => shareOf(figure(query, name));

const MOST_VARIANTS = 19;

/** Several new variants have equal shares, and so has the control. */
function splitOf(query: URLSearchParams): number | number[] {
  const variants = Math.trunc(figure(query, "variants"));
  if (!(variants > 1 && variants <= MOST_VARIANTS)) return share(query, "split");
  return Array.from({ length: variants + 1 }, () => 1);
}

/** Shares are typed as percentages. */
function bodyOf(query: URLSearchParams): Body {
  const isShare = read(query, "kind") === "conversion";
  const relative = read(query, "effect_type") === "relative";
  const effect = relative || isShare ? share(query, "effect") : figure(query, "effect");
  return {
    kind: isShare ? "conversion" : "mean",
    baseline: isShare ? share(query, "baseline") : figure(query, "baseline"),
    ...(isShare ? {} : { standard_deviation: figure(query, "deviation") }),
    ...(read(query, "asked") === "users"
      ? { effect, effect_type: relative ? "relative" : "absolute" }
      : { users: figure(query, "users") }),
    split: splitOf(query),
    power: share(query, "power"),
    confidence_level: share(query, "confidence"),
  };
}

/** Fields that are typed in percent. */
const sharesOf = ({ kind }: Body): string[] => [
  "split",
  "power",
  "confidence_level",
  ...(kind === "mean" ? [] : ["baseline", "effect"]),
];

const CERTAINTY: readonly Name[] = ["variants", "split", "power", "confidence"];

function Fields({ query }: ViewProps) {
  const choice = (name: Name, label: string, options: readonly Option[]) => (
    <QuerySelect query={query} label={label} name={name} fallback={DEFAULTS[name]} options={options} />
  );
  const text = (name: Name, label: string, path: string = name) => (
    <FilterField
      label={label}
      inputMode="decimal"
      path={path}
      value={read(query, name)}
      onValue={(value) => setQuery({ [name]: value })}
    />
  );
  const isShare = read(query, "kind") === "conversion";
  const absoluteUnit = isShare ? "in percentage points" : "per user";
  const effectUnit = read(query, "effect_type") === "relative" ? "in %" : absoluteUnit;
  return (
    <div class="filters">
      {choice("kind", "Metric type", KINDS)}
      {choice("asked", "Calculate", QUESTIONS)}
      {text("baseline", isShare ? "Baseline, in %" : "Baseline mean per user")}
      {!isShare && text("deviation", "Standard deviation per user", "standard_deviation")}
      {read(query, "asked") === "users" ? (
        <>
          {choice("effect_type", "Effect type", TYPES)}
          {text("effect", `Minimum detectable effect, ${effectUnit}`)}
        </>
      ) : (
        text("users", "Total users")
      )}
      <Fold label="Variants and certainty" active={CERTAINTY.filter((name) => query.has(name)).length}>
        {text("variants", "New variants")}
        {Array.isArray(splitOf(query)) || text("split", "Share of the new variant, in %")}
        {text("power", "Power, in %")}
        {text("confidence", "Confidence, in %", "confidence_level")}
      </Fold>
    </div>
  );
}

const HORIZONS = [
  { name: "once, at the planned users", key: "fixed" },
  { name: "at any time, sequential", key: "sequential" },
] as const;

/** The detectable effect in either direction for a number of users. */
function effectCells(
  { effect, decrease }: Plan,
  key: keyof Plan["effect"],
  kind: "conversion" | "mean",
): string[] {
  const found = [effect[key], decrease?.[key]].flatMap((one) => one ?? []);
  if (found.length === 0) return ["none", "–"];
  return [
    found.map(({ absolute }) => difference(kind, absolute)).join(" or "),
    found.map(({ relative }) => (relative === null ? "–" : lift(relative))).join(" or "),
  ];
}

function Shown({ plan, kind }: { plan: Plan; kind: "conversion" | "mean" }) {
  const cells = ({ name, key }: (typeof HORIZONS)[number]) => {
    const { control, treatment, total } = plan.users[key];
    return [name, number(total), number(control), number(treatment), ...effectCells(plan, key, kind)];
  };
  const { total } = plan.users.fixed;
  return (
    <>
      <p class="sentence">{plan.summary}</p>
      <Table
        caption="Sample size by analysis"
        columns={[
          "Analysis",
          "Total users",
          "Users, control",
          "Users, each new variant",
          "Effect",
          "Effect, relative",
        ]}
        rows={HORIZONS.map(cells)}
        stacks
      />
      <p>
        <a class="button" href={linkTo(["experiments", "new"], { planned_users: String(total) })}>
          Create an experiment with {number(total)} planned users
        </a>
      </p>
    </>
  );
}

export function CalculatorView({ query }: ViewProps) {
  const body = bodyOf(query);
  const answer = useAnswer(JSON.stringify(body), (signal) => planSampleSize(body, signal));
  const problem = answer.problem && inPercent(answer.problem, sharesOf(body));
  return (
    <Faults.Provider value={problem?.faults ?? []}>
      <h1>Sample size</h1>
      <p>
        The number of users that an experiment needs depends on the smallest effect that you want to detect.
      </p>
      <Fields query={query} />
      <Answered answer={{ ...answer, problem }} what="the sample size">
        {(plan) => <Shown plan={plan} kind={body.kind === "mean" ? "mean" : "conversion"} />}
      </Answered>
    </Faults.Provider>
  );
}
