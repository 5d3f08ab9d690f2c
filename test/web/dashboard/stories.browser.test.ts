import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Locator, Page } from "playwright-core";
import { expect, test } from "vitest";
import { databaseIn } from "../../end-to-end/servers.ts";
import { describeInBrowser } from "../browser.ts";
import { openSite, settled } from "./site.ts";

const script = fileURLToPath(new URL("../../../scripts/run.mjs", import.meta.url));
const fillWithDemo = (folder: string) =>
  promisify(execFile)(process.execPath, [
    script,
    "demo",
    "--events",
    "20000",
    "--database",
    databaseIn(folder),
  ]);

const MOST_CLICKS = 4;

/** A person at the overview, whose clicks are counted: a choice in a list is one. */
class Reader {
  readonly page: Page;
  #clicks = 0;

  constructor(page: Page) {
    this.page = page;
  }

  async click(target: Locator): Promise<void> {
    this.#clicks += 1;
    await target.click();
    await settled(this.page);
  }

  async choose(label: string, option: string): Promise<void> {
    this.#clicks += 1;
    await this.page.getByLabel(label, { exact: true }).first().selectOption(option);
    await settled(this.page);
  }

  view = (name: string): Promise<void> =>
    this.click(this.page.getByRole("navigation").getByRole("link", { name, exact: true }));

  expectFewClicks(): void {
    expect(this.#clicks).toBeLessThanOrEqual(MOST_CLICKS);
  }
}

const plain = (text: string | null): string => (text ?? "").replaceAll(/\s+/g, " ");

describeInBrowser.each([1280, 390])("at %d pixels, from the overview of the demo data", (width) => {
  const site = openSite({ prepare: fillWithDemo });
  const reader = async (): Promise<Reader> =>
    new Reader(await site.visited("", { viewport: { width, height: 900 } }));

  test("which variant wins, and whether anything is harmed", async () => {
    const me = await reader();
    await me.click(me.page.getByRole("link", { name: "signup_button_color" }));
    const [verdict] = await me.page.getByRole("heading", { level: 2 }).allTextContents();
    expect(["Winner", "No difference yet"]).toContain(verdict?.trim());
    const metrics = me.page.getByRole("table", { name: /^Difference of each variant/ });
    expect(await metrics.locator(".difference").count()).toBe(4);
    expect(await metrics.locator(".difference.bad").count()).toBe(0);
    me.expectFewClicks();
  });

  test("when an experiment ends", async () => {
    const me = await reader();
    await me.click(me.page.getByRole("link", { name: "free_shipping_banner" }));
    const progress = me.page.getByRole("region", { name: "Progress" });
    expect(plain(await progress.textContent())).toMatch(
      / of 10,000 planned users\. .* it is complete about \d+ \w+ 20\d\d\./,
    );
    me.expectFewClicks();
  });

  test("this week against last week", async () => {
    const me = await reader();
    await me.choose("Time", "This week");
    await me.page
      .getByText(/compared with/)
      .first()
      .waitFor();
    me.expectFewClicks();
  });

  test("which country converts best", async () => {
    const me = await reader();
    await me.view("Funnel");
    await me.choose("Next step", "product_view");
    await me.choose("Next step", "purchase");
    await me.choose("Break down by", "country");
    const groups = me.page.getByRole("table", { name: /^The same by country/ });
    await expect.poll(() => groups.getByRole("row").count()).toBeGreaterThan(5);
    expect(plain(await groups.getByRole("row").nth(1).textContent())).toMatch(/%.* to .* %/);
    me.expectFewClicks();
  });

  test("where people drop out, and who", async () => {
    const me = await reader();
    await me.view("Funnel");
    await me.choose("Next step", "product_view");
    await me.choose("Next step", "purchase");
    await me.click(me.page.getByRole("button", { name: /left here$/ }));
    const users = me.page.getByRole("table", { name: "Users who left after “product_view”" });
    await expect.poll(() => users.getByRole("link").count()).toBe(50);
    me.expectFewClicks();
  });

  test("whether they come back", async () => {
    const me = await reader();
    await me.view("Retention");
    const average = me.page.getByRole("row", { name: /^Average/ });
    expect(plain(await average.textContent())).toMatch(/^Average[\d,]+100\.0 %\d+\.\d %/);
    me.expectFewClicks();
  });

  test("what a user did", async () => {
    const me = await reader();
    await me.view("Events");
    await me.click(me.page.getByRole("link", { name: /^user / }).first());
    await me.page.getByRole("heading", { name: "What this user did" }).waitFor();
    await expect.poll(() => me.page.locator(".session li").count()).toBeGreaterThan(0);
    me.expectFewClicks();
  });

  test("a question to save, which the overview then answers", async () => {
    const me = await reader();
    await me.view("Trend");
    await me.choose("Event", "purchase");
    await me.click(me.page.getByRole("button", { name: "Save …" }));
    await me.page.getByLabel("Name").fill("Purchases");
    await me.click(me.page.getByRole("button", { name: "Save", exact: true }));
    me.expectFewClicks();
    await me.page.getByText("Saved.").waitFor();
    const total = me.page.getByRole("table", { name: "Events over the whole range" }).getByRole("cell");
    const purchases = await total.textContent();

    await me.view("Overview");
    const pinned = me.page.getByRole("region", { name: "Pinned questions" }).getByRole("listitem");
    await expect.poll(() => pinned.count()).toBe(1);
    expect(await pinned.getByRole("heading").textContent()).toBe("Purchases");
    expect(plain(await pinned.locator("dl").textContent())).toBe(`purchase${purchases} `);
    await me.click(me.page.getByRole("link", { name: "Purchases" }));
    expect(await me.page.getByLabel("Event", { exact: true }).inputValue()).toBe("purchase");
    expect(await me.page.getByLabel("Time", { exact: true }).inputValue()).toBe("30");

    await me.view("Saved");
    await me.click(me.page.getByRole("button", { name: "Delete: Purchases" }));
    await me.click(me.page.getByRole("button", { name: "Delete the question" }));
    await me.page.getByRole("heading", { name: "No saved questions yet" }).waitFor();
    expect(await me.page.evaluate(() => document.activeElement?.tagName)).toBe("MAIN");
  });

  test("a page to share, which opens for a guest until it is revoked", async () => {
    const me = await reader();
    const totals = await me.page.locator(".tiles dd:not(.hint)").allTextContents();
    await me.click(me.page.getByRole("button", { name: "Share …" }));
    await me.click(me.page.getByRole("button", { name: "Create a link" }));
    const link = await me.page.getByLabel("The link, shown only now").inputValue();
    expect(link).toMatch(/#\/shared\/share_[\w-]{43}$/);
    me.expectFewClicks();

    const guest = await site.visit({ viewport: { width, height: 900 } });
    await guest.page.goto(link);
    await settled(guest.page);
    await guest.page.getByText("Shared page, read-only").waitFor();
    // The period before reaches as far into its last day as this one, so its figures grow by the minute.
    expect(await guest.page.locator(".tiles dd:not(.hint)").allTextContents()).toEqual(totals);
    const users = await guest.page.request.get(`${site.url}/apiv1/events`, {
      headers: { authorization: `Bearer ${link.split("/").at(-1)}` },
    });
    expect(users.status()).toBe(403);

    await me.click(me.page.getByRole("button", { name: /^Revoke Overview/ }).first());
    await me.page.getByText("Revoked. The link no longer works.").waitFor();
    await guest.page.reload();
    await guest.page.getByRole("heading", { name: "This link does not work" }).waitFor();
    expect(await guest.page.getByRole("alert").textContent()).toContain("it was revoked, it has expired");
    expect(await guest.page.locator(".tiles").count()).toBe(0);
  });

  test("figures to export", async () => {
    const me = await reader();
    const downloaded = me.page.waitForEvent("download");
    await me.click(me.page.getByRole("button", { name: /^Download as CSV/ }).first());
    expect((await downloaded).suggestedFilename()).toMatch(/\.csv$/);
    me.expectFewClicks();
  });
});
