import { beforeAll, expect, onTestFinished, test, vi } from "vitest";
import type { Overview } from "../../../domain/reports/overview.ts";
import type { Trend } from "../../../domain/reports/trend.ts";
import { openFolder, plainServer } from "../../end-to-end/servers.ts";
import { describeInBrowser } from "../browser.ts";
import { fill, fillPageViews, open, openSite, send, settled } from "./site.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const plain = (text: string): string => text.replaceAll("\u00a0", " ");

describeInBrowser("the dashboard's overview", () => {
  const site = openSite();

  beforeAll(async () => {
    await fill(site);
    await fillPageViews(site);
  });

  test("is the first view, and shows the figures of the API in a few requests", async () => {
    const { page, requests } = await site.visit();
    await open(page, site.url, "");
    expect(await page.getByRole("heading", { level: 1 }).textContent()).toBe("Overview");
    const asked = requests.filter((request) => request.includes("/apiv1/"));
    expect(asked.map((request) => request.split("?")[0]).sort()).toEqual([
      `GET ${site.url}/apiv1/ab-tests`,
      `GET ${site.url}/apiv1/annotations`,
      `GET ${site.url}/apiv1/events/trend`,
      `GET ${site.url}/apiv1/overview`,
      `GET ${site.url}/apiv1/questions`,
    ]);
    const tiles = page.locator(".tile");
    const overview = await send<Overview>(`${site.url}/apiv1/overview`, "GET");
    const sessions = await send<Trend>(`${site.url}/apiv1/events/trend?measure=sessions`, "GET");
    expect([overview.users.total, overview.events.total, sessions.series[0]?.total]).toEqual([50, 120, 50]);
    await expect
      .poll(() => tiles.allTextContents())
      .toEqual(["Users50new, from 0", "Events120new, from 0", "Sessions50new, from 0"]);
    const rows = page.getByRole("table", { name: "Pages" }).getByRole("row");
    expect((await rows.allTextContents()).map(plain)).toEqual([
      "pathPage viewsChange",
      "/7new",
      "/plans3new",
    ]);
    expect(plain((await page.locator(".active").textContent()) ?? "")).toBe(
      "1 user active in the last 30 minutes",
    );
  });

  test("has the running experiments with their verdicts, and leads to them", async () => {
    const page = await site.visited("#/overview");
    const running = page.getByRole("region", { name: "Running experiments" });
    expect(await running.getByRole("listitem").count()).toBe(4);
    await expect.poll(() => running.textContent()).toContain("Winner");
    await running.getByRole("link", { name: "button" }).click();
    await page.getByRole("heading", { level: 1, name: "button" }).waitFor();
  });

  test("leads from a figure and from a row to the trend of the same range", async () => {
    const page = await site.visited("#/overview?range=this_month");
    await page.getByRole("link", { name: "Users" }).click();
    await page.getByRole("heading", { level: 1, name: "Trend" }).waitFor();
    expect(await page.getByLabel("Measure").inputValue()).toBe("users");
    expect(await page.getByLabel("Time", { exact: true }).inputValue()).toBe("this_month");
    const again = await site.visited("#/overview?days=90");
    await again.getByRole("table", { name: "Pages" }).getByRole("link", { name: "/plans" }).click();
    await again.getByRole("button", { name: "Remove: path is /plans" }).waitFor();
    await settled(again);
    await expect
      .poll(() =>
        again
          .getByRole("table", { name: /^Events over the whole range/ })
          .getByRole("row")
          .allTextContents(),
      )
      .toEqual(["LineEventsPeriod beforeChange", "page_view30new"]);
  });

  test("marks the annotations of the range on its time axis, and so does the trend", async () => {
    await send(`${site.url}/apiv1/annotations`, "POST", { text: "Release 1.9" });
    await send(`${site.url}/apiv1/annotations`, "POST", { text: "Long ago", at: "2001-01-01T00:00:00Z" });
    for (const view of ["#/overview", "#/trend"]) {
      const page = await site.visited(view);
      const listed = page.getByRole("list", { name: "Annotations" }).getByRole("listitem");
      await expect
        .poll(() => listed.allTextContents())
        .toEqual([expect.stringMatching(/ UTC: Release 1\.9 Delete …$/)]);
    }
  });

  test("counts the active users again while it is open", async () => {
    const { page } = await site.visit();
    await page.clock.install();
    await open(page, site.url, "#/overview");
    const active = page.locator(".active");
    const before = plain((await active.textContent()) ?? "");
    await send(`${site.url}/apiv1/events`, "POST", { event_type: "ping", user_id: "somebody new" });
    await page.clock.runFor(31_000);
    await expect.poll(async () => plain((await active.textContent()) ?? "")).not.toBe(before);
  });

  test("waits for the first event with instructions, and then shows it, in the zone of the project", async () => {
    const { folder, remove } = await openFolder();
    const empty = await plainServer.start(folder, { ANALYTICS_TIMEZONE: "Asia/Tokyo" });
    onTestFinished(async () => {
      await empty.stop();
      await remove();
    });
    const { page } = await site.visit();
    await open(page, empty.url, "");
    await page.getByRole("heading", { name: "Waiting for the first event" }).waitFor();
    expect(await page.getByLabel("Time zone").inputValue()).toBe("Asia/Tokyo");
    expect(page.url()).not.toContain("timezone");
    await page.getByText(`curl ${empty.url}/apiv1/events`).waitFor();
    await page.getByText(`"${empty.url}/script.js" data-page-views`).waitFor();
    await send(`${empty.url}/apiv1/events`, "POST", { event_type: "page_view", user_id: "first" });
    await expect.poll(() => page.locator(".tile").allTextContents()).toContain("Users1new, from 0");
    expect(await page.getByText("Waiting for the first event").count()).toBe(0);
  });

  test("tells an empty range from an empty server", async () => {
    const page = await site.visited("#/overview?from=2001-01-01&to=2001-01-31");
    await page.getByRole("heading", { name: "No events in this range" }).waitFor();
  });
});
