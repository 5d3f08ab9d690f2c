import type { Page } from "playwright-core";
import { beforeAll, expect, test, vi } from "vitest";
import { describeInBrowser } from "../browser.ts";
import { barriersUnfolded } from "./barriers.ts";
import { openSite, send, settled } from "./site.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const MINUTE = 60_000;
const plain = (text: string | null): string => (text ?? "").replaceAll(/\s+/g, " ");

/** Ten people per variant who view a product; of red two buy it, of blue five. One more person is in no variant. */
async function fillShop(url: string): Promise<number> {
  const now = Date.now();
  const people = ["red", "blue"].flatMap((variant) =>
    Array.from({ length: 10 }, (_, n) => ({
      user_id: `${variant} ${n}`,
      variant,
      buys: n < (variant === "red" ? 2 : 5),
    })),
  );
  const { test_id } = await send<{ test_id: number }>(`${url}/apiv1/ab-tests`, "POST", {
    test_name: "checkout",
    variants: [{ variant_name: "red" }, { variant_name: "blue" }],
  });
  const assigned_at = new Date(now - 30 * MINUTE).toISOString();
  const assignments = people.map(({ user_id, variant }) => ({ user_id, variant, assigned_at }));
  await send(`${url}/apiv1/ab-tests/${test_id}/assignments`, "POST", assignments);
  const events = [...people, { user_id: "nobody's", buys: true }].flatMap(({ user_id, buys }) => [
    { event_type: "view", user_id, timestamp: now - 20 * MINUTE },
    ...(buys ? [{ event_type: "buy", user_id, timestamp: now - 10 * MINUTE }] : []),
  ]);
  await send(`${url}/apiv1/events/batch`, "POST", events);
  return test_id;
}

/** Opens the filters where a phone has folded them away. */
async function unfold(page: Page): Promise<void> {
  const field = page.getByLabel("Only people in variant");
  await field.waitFor({ state: "attached" });
  if (!(await field.isVisible())) await page.getByText(/^Filters/).click();
  await field.waitFor();
}

describeInBrowser.each([1280, 390])("reports by variant at %d pixels", (width) => {
  const site = openSite();
  let experiment: number;

  beforeAll(async () => {
    experiment = await fillShop(site.url);
  });

  const visited = (link: string): Promise<Page> => site.visited(link, { viewport: { width, height: 900 } });

  test("an experiment leads to a funnel that is divided by its variants", async () => {
    const page = await visited(`#/experiments/${experiment}`);
    await page.getByRole("link", { name: "funnel by variant" }).click();
    await page.getByLabel("Next step").selectOption("view");
    await page.getByLabel("Step 1").waitFor();
    await page.getByLabel("Next step").selectOption("buy");
    const groups = page.getByRole("table", { name: /^The same by variant of checkout/ });
    await groups.waitFor();
    const rows = await groups.getByRole("row").allTextContents();
    expect(rows.slice(1).map(plain)).toEqual([
      expect.stringMatching(/^blue10 users50\.0 %, 5 users/),
      expect.stringMatching(/^red10 users20\.0 %, 2 users/),
    ]);
    expect(await page.getByLabel("Break down by").locator("option:checked").textContent()).toBe(
      "variant of checkout",
    );
    expect(await barriersUnfolded(page)).toEqual([]);
  });

  test("a funnel is about the people of a variant that is chosen, until the choice is removed", async () => {
    const steps = JSON.stringify([{ event_type: "view" }, { event_type: "buy" }]);
    const page = await visited(`#/funnel?steps=${encodeURIComponent(steps)}`);
    const first = page.locator(".funnel > li").first();
    await expect.poll(async () => plain(await first.textContent())).toContain("21 users");
    await unfold(page);
    await page.getByLabel("Only people in variant").selectOption("checkout: red");
    await expect.poll(async () => plain(await first.textContent())).toContain("10 users");
    const remove = page.getByRole("button", { name: "Remove: checkout is red" });
    await remove.focus();
    await page.keyboard.press("Enter");
    await expect.poll(async () => plain(await first.textContent())).toContain("21 users");
    const focused = () => page.evaluate(() => document.activeElement?.tagName);
    await expect.poll(focused).toBe("SELECT");
  });

  test("a retention is about the people of a variant, and so is the link that is shared", async () => {
    const page = await visited("#/retention?interval=day");
    const users = (shown: Page) => shown.locator("tr.average td").first().textContent();
    await expect.poll(() => users(page)).toBe("21");
    await unfold(page);
    await page.getByLabel("Only people in variant").selectOption("checkout: red");
    await expect.poll(() => users(page)).toBe("10");
    await settled(page);
    expect(await barriersUnfolded(page)).toEqual([]);

    await page.getByRole("button", { name: "Share …" }).click();
    await page.getByRole("button", { name: "Create a link" }).click();
    const link = await page.getByLabel("The link, shown only now").inputValue();
    const { page: guest } = await site.visit({ viewport: { width, height: 900 } });
    await guest.goto(link);
    await guest.getByText("Only people in variant red of the experiment checkout.").waitFor();
    expect(await users(guest)).toBe("10");
  });

  test("an experiment leads to a trend by variant, which a condition narrows", async () => {
    const page = await visited(`#/experiments/${experiment}`);
    await page.getByRole("link", { name: "trend by variant" }).click();
    const lines = page.locator(".legend li");
    await expect.poll(() => lines.allTextContents()).toEqual(["blue", "red"]);
    expect(await page.getByRole("link", { name: "Show these events one by one" }).count()).toBe(0);
    await unfold(page);
    await page.getByLabel("Only people in variant").selectOption("checkout: blue");
    await page.getByRole("button", { name: "Remove: checkout is blue" }).waitFor();
    await expect.poll(() => lines.allTextContents()).toEqual(["blue"]);
    await settled(page);
    expect(await barriersUnfolded(page)).toEqual([]);
  });
});
