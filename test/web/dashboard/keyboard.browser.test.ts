import { readFile } from "node:fs/promises";
import type { Page } from "playwright-core";
import { beforeAll, expect, test, vi } from "vitest";
import { describeInBrowser } from "../browser.ts";
import { fill, openSite, settled, viewsOf } from "./site.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

/** The name of the element with the focus, or of the page where it has fallen to it. */
const focusOn = (page: Page): Promise<string> => page.evaluate(focused);

function focused(): string {
  const { activeElement } = document;
  if (activeElement === null || activeElement === document.body) return "the page";
  const label = document.querySelector(`label[for="${activeElement.id}"]`);
  return activeElement.getAttribute("aria-label") ?? label?.textContent ?? activeElement.textContent ?? "";
}

describeInBrowser("the dashboard by keyboard", () => {
  const site = openSite();
  let views: Readonly<Record<string, string>>;

  beforeAll(async () => {
    views = viewsOf(await fill(site));
  });

  test("keeps the focus when a step of a funnel is chosen, changed and removed", async () => {
    const page = await site.visited("#/funnel");
    await page.getByLabel("Next step").focus();
    await page.getByLabel("Next step").selectOption("product_view");
    await page.getByLabel("Step 1").waitFor();
    expect(await focusOn(page)).toBe("Step 1");
    await page.getByLabel("Next step").focus();
    await page.getByLabel("Next step").selectOption("purchase");
    await page.getByLabel("Step 2").waitFor();
    expect(await focusOn(page)).toBe("Step 2");
    await settled(page);
    await page.getByLabel("Step 1").focus();
    await page.getByLabel("Step 1").selectOption("");
    await expect.poll(() => page.getByLabel("Step 2").count()).toBe(0);
    expect(await focusOn(page)).toBe("Step 1");
    expect(await page.getByLabel("Step 1").inputValue()).toBe("purchase");
  });

  test("keeps the focus when a condition is added and removed", async () => {
    const page = await site.visited("#/trend?event_type=product_view");
    await page.getByLabel("Property").focus();
    await page.getByLabel("Property").selectOption("plan");
    await page.getByLabel("Value of plan").waitFor();
    expect(await focusOn(page)).toBe("Property");
    await page.getByLabel("Value of plan").focus();
    await page.keyboard.type("pro");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Remove: plan is pro" }).waitFor();
    await expect.poll(() => focusOn(page)).toBe("Property");
    await page.getByRole("button", { name: "Remove: plan is pro" }).focus();
    await page.keyboard.press("Enter");
    await expect.poll(() => page.getByRole("button", { name: "Remove: plan is pro" }).count()).toBe(0);
    expect(await focusOn(page)).toBe("Property");
  });

  test("keeps the focus when a metric of a new experiment is removed", async () => {
    const page = await site.visited("#/experiments/new");
    await page.getByRole("button", { name: "Add a metric" }).focus();
    await page.keyboard.press("Enter");
    const remove = page.getByRole("button", { name: "Remove metric 2" });
    await remove.focus();
    await page.keyboard.press("Enter");
    await expect.poll(() => remove.count()).toBe(0);
    expect(await focusOn(page)).toBe("Name of metric 1");
  });

  test("returns the focus to the button that opened a dialog", async () => {
    const page = await site.visited(views["a winner"] ?? "");
    const stop = page.getByRole("button", { name: "Stop the experiment …" });
    await stop.focus();
    for (const key of ["Escape", "Enter"]) {
      await page.keyboard.press("Enter");
      await page.getByRole("dialog").waitFor();
      if (key === "Enter") await page.getByRole("button", { name: "Do not stop" }).focus();
      await page.keyboard.press(key);
      await expect.poll(() => page.getByRole("dialog").count()).toBe(0);
      expect(await focusOn(page)).toBe("Stop the experiment …");
    }
  });

  test("announces that figures are loaded", async () => {
    const page = await site.visited("#/trend?event_type=product_view");
    await expect.poll(() => page.getByRole("status").allTextContents()).toContain("Loaded the trend.");
  });

  test("stops at a table only where it scrolls", async () => {
    const page = await site.visited("#/trend?event_type=product_view");
    const table = page.getByRole("region", { name: /^Events over the whole range/ });
    expect(await table.getAttribute("tabindex")).toBeNull();
    await page.setViewportSize({ width: 150, height: 800 });
    await expect.poll(() => table.getAttribute("tabindex")).toBe("0");
  });

  test("suggests the values of a property", async () => {
    const page = await site.visited("#/events?event_type=product_view");
    await page.getByLabel("Property").selectOption("plan");
    const values = page.locator("datalist option");
    await expect
      .poll(() => values.evaluateAll((options) => options.map((option) => option.getAttribute("value"))))
      .toEqual(["free", "pro"]);
    await page.getByLabel("Value of plan").fill("pro");
    await page.keyboard.press("Enter");
    await expect.poll(() => page.locator(".events > li").count()).toBe(40);
  });

  test("saves a table as a file of its figures", async () => {
    const page = await site.visited("#/trend?event_type=product_view&breakdown=plan");
    const saved = page.waitForEvent("download");
    await page.getByRole("button", { name: "Download as CSV: Events over the whole range" }).click();
    const file = await saved;
    expect(file.suggestedFilename()).toBe("events-over-the-whole-range.csv");
    expect(await readFile(await file.path(), "utf8")).toBe("\ufeffLine,Events\r\nfree,40\r\npro,40\r\n");
  });
});
