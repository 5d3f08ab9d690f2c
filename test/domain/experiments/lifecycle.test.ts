import { expect, test } from "vitest";
import { type Experiment, ExperimentInput, newExperiment } from "../../../domain/experiments/experiment.ts";
import { changeExperiment, ExperimentChange } from "../../../domain/experiments/lifecycle.ts";

const NOW = Date.parse("2026-11-22T10:00:00.000Z");

function experimentOf(...names: string[]): Experiment {
  const input = ExperimentInput.parse({
    test_name: "t",
    variants: names.map((variant_name) => ({ variant_name })),
  });
  const { variants, ...rest } = newExperiment(input, "salt", NOW);
  return { ...rest, id: 1, variants: variants.map((variant, index) => ({ ...variant, id: index + 1 })) };
}

test("variants may have the names of what every JavaScript object has", () => {
  const experiment = experimentOf("constructor", "toString", "__proto__");
  const change = ExperimentChange.parse({ traffic: 0.5 });
  expect(changeExperiment(experiment, change, NOW)).toEqual({ ...experiment, traffic: 0.5 });
});

test("a change of one weight leaves the others as they are", () => {
  const experiment = experimentOf("red", "blue", "toString");
  const change = ExperimentChange.parse({ weights: { blue: 3 } });
  expect(changeExperiment(experiment, change, NOW).variants.map(({ weight }) => weight)).toEqual([1, 3, 1]);
});

test("no change may leave weights that cannot be shared out", () => {
  for (const weights of [
    { red: 0, blue: 0 },
    { red: 1e308, blue: 1e308 },
  ]) {
    const change = ExperimentChange.parse({ weights });
    expect(() => changeExperiment(experimentOf("red", "blue"), change, NOW)).toThrow();
  }
});
