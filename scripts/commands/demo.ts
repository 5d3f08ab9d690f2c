import { z } from "zod";
import type { Settings } from "../../adapters/settings.ts";
import { DAYS } from "../demo/calendar.ts";
import { type Filled, fill, isEmpty } from "../demo/fill.ts";
import { FEWEST_EVENTS, USUAL_EVENTS } from "../demo/story.ts";
import { callOf, defineCommand, Refused } from "./command.ts";
import { databaseSettings, openStorage, shownDatabase } from "./open-storage.ts";
import { progress } from "./progress.ts";
import { builtRollups } from "./rollups.ts";

const numberFrom = (least: number, most: number) => {
  const fault = `must be a whole number from ${least} to ${most}`;
  return z
    .string()
    .regex(/^\d+$/, fault)
    .transform(Number)
    .pipe(z.number().min(least, fault).max(most, fault));
};

const Options = z
  .object({
    events: numberFrom(1_000, 1_000_000_000).default(150_000),
    users: numberFrom(10, 100_000_000).optional(),
    seed: numberFrom(0, 2 ** 32 - 1).default(1),
    database: z.string().optional(),
  })
  .transform(({ users, ...options }) => ({
    ...options,
    users: users ?? Math.round(options.events / USUAL_EVENTS),
  }))
  .refine(({ events, users }) => events >= users * FEWEST_EVENTS, {
    path: ["users"],
    error: `must leave each of them ${FEWEST_EVENTS} events or more: ask for fewer users, or for more events`,
  });
type Options = z.infer<typeof Options>;

function checked(values: z.input<typeof Options>): Options {
  const parsed = Options.safeParse(values);
  if (parsed.success) return parsed.data;
  throw new Refused(
    parsed.error.issues.map(({ path, message }) => `--${path[0]?.toString()} ${message}`).join("\n"),
  );
}

const START = callOf("demo").startsWith("npm") ? "npm start" : "analytics-server";

const print = (text: string): void => void process.stdout.write(text);

const number = new Intl.NumberFormat("en");

const counted = ({ events, users, experiments }: Filled): string =>
  `${number.format(events)} events of ${number.format(users)} users in ${DAYS} days, and the A/B tests ` +
  experiments.map(({ test_name, id }) => `${test_name} (${id})`).join(" and ");

function suggestions({ database, port }: Settings, { experiments }: Filled): string {
  const server = `localhost:${port}`;
  const start =
    database === "data/analytics.db" ? START : `ANALYTICS_DATABASE='${shownDatabase(database)}' ${START}`;
  const steps = ["product_view", "add_to_cart", "checkout_started", "purchase"].map((event_type) => ({
    event_type,
  }));
  return `
Start the server, and open the dashboard at http://${server}
  ${start}

Purchases by week and country
  curl -s '${server}/apiv1/events/trend?event_type=purchase&interval=week&breakdown=country'
Funnel from product view to purchase
  curl -s ${server}/apiv1/events/funnel -H 'content-type: application/json' -d '${JSON.stringify({ steps })}'
Retention of users by week
  curl -s '${server}/apiv1/events/retention?event_type=page_view&interval=week'
${experiments
  .map(({ id, test_name }) => `Results of ${test_name}\n  curl -s ${server}/apiv1/ab-tests/${id}/results\n`)
  .join("")}`;
}

async function demo(options: Options): Promise<void> {
  const settings = databaseSettings(options.database);
  const storage = await openStorage(settings);
  try {
    if (!(await isEmpty(storage))) {
      throw new Refused(
        `${shownDatabase(settings.database)} already contains events or A/B tests, and was not changed. Name a new file: ` +
          `${callOf("demo")} --database data/${settings.database === "data/demo.db" ? "demo-2.db" : "demo.db"}`,
      );
    }
    const startedAt = performance.now();
    const filled = await fill(storage, { ...options, now: Date.now() }, progress("events", options.events));
    // The first look at the dashboard should not wait for them.
    await builtRollups(storage);
    const seconds = (performance.now() - startedAt) / 1000;
    print(
      `Made ${counted(filled)}, in ${shownDatabase(settings.database)}. It took ${seconds.toFixed(1)} s.\n`,
    );
    print(suggestions(settings, filled));
  } finally {
    await storage.close();
  }
}

export const command = defineCommand({
  name: "demo",
  summary: `fills an empty database with the first ${DAYS} days of a plant shop, to try everything on`,
  usage: "[options]",
  help: `  --events <number>     about how many events (150000)
  --users <number>      about how many users (one for each ${USUAL_EVENTS} events)
  --seed <number>       the same number gives the same events (1)
  --database <name>     a file, or postgres://user:password@host/name (ANALYTICS_DATABASE, else data/analytics.db)`,
  options: {
    events: { type: "string" },
    users: { type: "string" },
    seed: { type: "string" },
    database: { type: "string" },
  },
  run: ({ values }) => demo(checked(values)),
});
