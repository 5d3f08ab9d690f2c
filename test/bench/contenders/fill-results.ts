import { openSqlite } from "../../../adapters/sqlite/storage.ts";
import { ExperimentInput, newExperiment } from "../../../domain/experiments/experiment.ts";
import { DAY } from "../../../domain/time.ts";
import { KNOWN_USERS, knownUser } from "../bodies.ts";

const BATCH_SIZE = 2_000;
const [path = "", values = "0"] = process.argv.slice(2);

function inBatches(total: number): { from: number; size: number }[] {
  const starts = Array.from({ length: Math.ceil(total / BATCH_SIZE) }, (_, batch) => batch * BATCH_SIZE);
  return starts.map((from) => ({ from, size: Math.min(BATCH_SIZE, total - from) }));
}

// Creates an experiment with users and the requested number of values of three metrics, through the storage port,
// because HTTP would be slower.
const DAYS = 30;
const now = Date.now();
const start = now - DAYS * DAY;
const storage = openSqlite(path);
const input = ExperimentInput.parse({
  test_name: "button_colour",
  variants: [{ variant_name: "red" }, { variant_name: "blue" }],
  metrics: [
    { metric_name: "purchase", kind: "conversion", role: "primary" },
    { metric_name: "duration", kind: "mean", role: "exploratory" },
    {
      metric_name: "errors",
      kind: "count",
      direction: "decrease",
      role: "guardrail",
      margin: { relative: 0.1 },
    },
  ],
});
const names = ["purchase", "duration", "errors"];
const experiment = await storage.createExperiment(newExperiment(input, "salt", now));
if (experiment === undefined) throw new Error("The file already has an experiment of this name.");

for (const { from, size } of inBatches(KNOWN_USERS)) {
  const users = Array.from({ length: size }, (_, index) => ({
    user_id: knownUser(from + index),
    variant_id: experiment.variants[index % 2]?.id ?? 0,
    assigned_at: start,
  }));
  await storage.assign(experiment.id, users);
}

for (const { from, size } of inBatches(Number(values))) {
  const metrics = Array.from({ length: size }, (_, index) => ({
    user_id: knownUser((from + index) % KNOWN_USERS),
    metric_name: names[index % names.length] ?? "",
    value: ((from + index) * 37) % 1_000,
    created_at: now,
    occurred_at: start + ((from + index) % DAYS) * DAY,
    message_key: null,
  }));
  await storage.appendMetrics(experiment.id, metrics);
}
await storage.close();
process.stdout.write(`/apiv1/ab-tests/${experiment.id}/results\n`);
