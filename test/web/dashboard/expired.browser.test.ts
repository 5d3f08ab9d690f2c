import { expect, test, vi } from "vitest";
import { openSqlite } from "../../../adapters/sqlite/storage.ts";
import { eventAt } from "../../adapters/question-stories/asked.ts";
import { databaseIn } from "../../end-to-end/servers.ts";
import { describeInBrowser } from "../browser.ts";
import { openSite, send, settled } from "./site.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const at = (time: string) => ({ occurred_at: Date.parse(time) });

/** Three events of May 2024, of which only the number is left. */
async function expire(folder: string): Promise<void> {
  const file = databaseIn(folder);
  const before = openSqlite(file);
  await before.appendEvents([
    eventAt(0, "view", at("2024-05-03T10:00:00Z")),
    eventAt(0, "view", at("2024-05-04T12:40:00Z")),
    eventAt(0, "buy", at("2024-05-05T12:40:00Z")),
  ]);
  await before.close();
  const storage = openSqlite(file, { keeping: { days: 1, byType: {}, counts: true } });
  await vi.waitUntil(async () => (await storage.check()).expiry?.pending === false, { timeout: 60_000 });
  await storage.close();
}

const MAY = "from=2024-05-01&to=2024-05-31";
const STEPS = encodeURIComponent(JSON.stringify([{ event_type: "view" }, { event_type: "buy" }]));

describeInBrowser("reports on expired events", () => {
  const site = openSite({ prepare: expire });
  const noteOf = async (link: string): Promise<string> => {
    const page = await site.visited(link);
    await settled(page);
    return (await page.getByText("have expired").allTextContents()).join("\n").replaceAll("\u00a0", " ");
  };

  test("a trend counts them, and says before which time only their number is kept", async () => {
    const page = await site.visited(`#/trend?${MAY}`);
    await settled(page);
    const totals = page.getByRole("table", { name: /^Events over the whole range/ });
    expect(await totals.getByRole("row").last().textContent()).toContain("3");
    expect(await noteOf(`#/trend?${MAY}&event_type=view`)).toMatch(
      /^Some events before .*2024.* 12:45.* have expired, and only their number is kept\. Trends of all events count them; /,
    );
  });

  test("unique users, the funnel, retention and the overview say that they lack them", async () => {
    for (const link of [
      `#/trend?${MAY}&measure=users`,
      `#/funnel?${MAY}&steps=${STEPS}`,
      `#/retention?${MAY}`,
      `#/overview?${MAY}`,
    ])
      expect(await noteOf(link)).toContain("every other report leave them out");
  });

  test("a pinned question says briefly that it lacks them", async () => {
    const query = {
      steps: [{ event_type: "view" }, { event_type: "buy" }],
      from: "2024-05-01",
      to: "2024-05-31",
    };
    const body = { name: "Buyers", pinned: true, question: { report: "funnel", query } };
    await send(`${site.url}/apiv1/questions`, "POST", body);
    const page = await site.visited("#/overview");
    const pinned = page.getByRole("region", { name: "Pinned questions" });
    await expect.poll(() => pinned.textContent()).toContain("Some events before 5 May 2024 have expired.");
  });

  test("a report on a time in which none has expired says nothing", async () => {
    expect(await noteOf("#/trend?from=2024-06-01&to=2024-06-30")).toBe("");
  });
});
