import type { Page } from "playwright-core";
import { beforeAll, expect, test, vi } from "vitest";
import { describeInBrowser } from "../browser.ts";
import { barriersOn, barriersUnfolded } from "./barriers.ts";
import { fill, fillPageViews, openSite, settled, viewsOf } from "./site.ts";

// Some tests visit every shared page: ten seconds on an idle machine, a minute on a busy one.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

/** Opens the dialog of a view, creates a link and returns it. */
async function share(page: Page, name = ""): Promise<string> {
  await page.getByRole("button", { name: "Share …" }).click();
  const dialog = page.getByRole("dialog");
  if (name !== "") await dialog.getByLabel("Name of the link").fill(name);
  await dialog.getByRole("button", { name: "Create a link" }).click();
  return dialog.getByLabel("The link, shown only now").inputValue();
}

describeInBrowser("shared pages", () => {
  const site = openSite();
  let views: Readonly<Record<string, string>>;
  const shared: Record<string, string> = {};

  beforeAll(async () => {
    const ids = await fill(site);
    await fillPageViews(site);
    const all = viewsOf(ids);
    views = {
      overview: "#/overview",
      experiment: `${all["a winner"]}?metric=complaints`,
      broken: all["a broken split"] ?? "",
      trend: "#/trend?event_type=product_view&breakdown=plan&where%5Bprice%5D%5Bgte%5D=10&days=14",
      funnel: all["the funnel"] ?? "",
      retention: all["the retention"] ?? "",
    };
  });

  const linkTo = async (view: string): Promise<string> => {
    shared[view] ??= await share(await site.visited(views[view] ?? ""));
    return shared[view];
  };

  async function opened(view: string, options: Parameters<typeof site.visit>[0] = {}) {
    const link = await linkTo(view);
    const visit = await site.visit(options);
    await visit.page.goto(link);
    await settled(visit.page);
    return { ...visit, link };
  }

  test("show the figures of their view, from one request, without an error", async () => {
    const titles: Record<string, string | null> = {};
    for (const view of Object.keys(views)) {
      const { page, requests, complaints } = await opened(view);
      titles[view] = await page.getByRole("heading", { level: 1 }).textContent();
      const asked = requests.filter((request) => request.includes("/apiv1/"));
      expect([view, asked, complaints]).toEqual([view, [`GET ${site.url}/apiv1/shared-page`], []]);
    }
    expect(titles).toEqual({
      overview: "Overview, last 30 days",
      experiment: "button",
      broken: "redirect",
      trend: "Trend of product_view, last 14 days",
      funnel: "Funnel of product_view → add_to_cart → purchase, last 30 days",
      retention: "Retention of product_view, last 90 days",
    });
  });

  test("have the figures that their sender sees", async () => {
    const figures = (page: Page) => page.getByRole("table").first().textContent();
    for (const view of ["overview", "experiment", "trend", "funnel", "retention"]) {
      const sender = await site.visited(views[view] ?? "");
      const { page } = await opened(view);
      expect([view, await figures(page)]).toEqual([view, await figures(sender)]);
    }
  });

  test("lead to no other view, and change nothing", async () => {
    for (const view of Object.keys(views)) {
      const { page } = await opened(view);
      expect([view, await page.getByRole("link").count()]).toEqual([view, 0]);
      expect([view, await page.getByRole("navigation").count()]).toEqual([view, 0]);
      for (const name of [/Stop/, /Pause/, /Share/, /Save/, /Copy/, /annotation/, /left here/, /Forget/]) {
        expect([view, await page.getByRole("button", { name }).count()]).toEqual([view, 0]);
      }
    }
  });

  test("say which events they are about", async () => {
    const { page } = await opened("trend");
    await page.getByText("Only events where price is at least 10.").waitFor();
    await page.getByText(/^\d+ \w+ 20\d\d to \d+ \w+ 20\d\d, in the time zone UTC\.$/).waitFor();
  });

  test("let their guest choose among the figures that they have", async () => {
    const { page, requests, link } = await opened("experiment");
    await page.getByRole("button", { name: "signup", exact: true }).click();
    await page.getByRole("heading", { name: "signup day by day" }).waitFor();
    expect(page.url()).toBe(`${link}?metric=signup`);
    expect(requests.filter((request) => request.includes("/apiv1/"))).toHaveLength(1);
  });

  test.each([
    { colorScheme: "light", width: 1280 },
    { colorScheme: "dark", width: 390 },
  ] as const)(
    "have no barriers and fit, in $colorScheme, $width pixels wide",
    async ({ colorScheme, width }) => {
      const found: string[] = [];
      for (const view of Object.keys(views)) {
        const { page } = await opened(view, { colorScheme, viewport: { width, height: 800 } });
        const overhang = await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        );
        expect([view, overhang]).toEqual([view, 0]);
        found.push(...(await barriersUnfolded(page)).map((barrier) => `${view}: ${barrier}`));
      }
      expect(found).toEqual([]);
    },
  );

  test("whose link does not work say so, without a way to ask for a key", async () => {
    const { page } = await site.visit();
    await page.goto(`${site.url}/#/shared/share_unknown`);
    await page.getByRole("heading", { name: "This link does not work" }).waitFor();
    expect(await page.getByRole("alert").textContent()).toContain("Ask the sender for a new one.");
    expect(await page.getByRole("dialog").count()).toBe(0);
    expect(await barriersOn(page)).toEqual([]);
  });

  test.each([
    { colorScheme: "light", width: 1280 },
    { colorScheme: "dark", width: 390 },
  ] as const)("are shared and revoked by keyboard, in $colorScheme, $width pixels wide", async (options) => {
    const { colorScheme, width } = options;
    const { page } = await site.visit({ colorScheme, viewport: { width, height: 800 } });
    await page.goto(`${site.url}/${views.trend}`);
    await settled(page);
    await page.getByRole("button", { name: "Share …" }).focus();
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog");
    const name = `For ${colorScheme}`;
    await dialog.getByLabel("Name of the link").focus();
    await page.keyboard.type(name);
    await page.keyboard.press("Enter");
    await dialog.getByLabel("The link, shown only now").waitFor();
    const revoke = dialog.getByRole("button", { name: `Revoke ${name}` });
    await revoke.waitFor();
    expect(await barriersOn(page)).toEqual([]);
    expect(await dialog.evaluate((element) => element.scrollWidth - element.clientWidth)).toBe(0);
    await revoke.focus();
    await page.keyboard.press("Enter");
    await revoke.waitFor({ state: "detached" });
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("links-title");
    await page.keyboard.press("Escape");
    await expect.poll(() => page.evaluate(() => document.activeElement?.textContent)).toBe("Share …");
  });
});
