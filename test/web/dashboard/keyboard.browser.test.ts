import { readFile } from "node:fs/promises";
import { beforeAll, expect, test, vi } from "vitest";
import { describeInBrowser } from "../browser.ts";
import { changeFunnelByKeyboard, focusOn, leaveDialogByKeyboard } from "./keyboard-stories.ts";
import { fill, openSite, viewsOf } from "./site.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

describeInBrowser("the dashboard by keyboard", () => {
  const site = openSite();
  let views: Readonly<Record<string, string>>;

  beforeAll(async () => {
    views = viewsOf(await fill(site));
  });

  test("keeps the focus when a step of a funnel is chosen, changed and removed", async () => {
    await changeFunnelByKeyboard(await site.visited("#/funnel"));
  });

  test("keeps the focus in a step when a condition on it is added and removed", async () => {
    const steps = JSON.stringify([{ event_type: "purchase" }, { event_type: "product_view" }]);
    const page = await site.visited(`#/funnel?steps=${encodeURIComponent(steps)}`);
    await page.getByLabel("with", { exact: true }).nth(1).selectOption("price");
    await page.getByLabel("Comparison of price").selectOption("is above");
    await page.getByLabel("Value of price").focus();
    await page.keyboard.type("3");
    await page.keyboard.press("Enter");
    const remove = page.getByRole("button", { name: "Remove: price is above 3" });
    await remove.waitFor();
    await expect.poll(() => focusOn(page)).toBe("with");
    await remove.focus();
    await page.keyboard.press("Enter");
    await expect.poll(() => remove.count()).toBe(0);
    expect(await focusOn(page)).toBe("with");
    expect(
      await page
        .getByLabel("with", { exact: true })
        .nth(1)
        .evaluate((field) => field === document.activeElement),
    ).toBe(true);
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
    await leaveDialogByKeyboard(await site.visited(views["a winner"] ?? ""));
  });

  test("saves, renames and deletes a question, and keeps the focus", async () => {
    const page = await site.visited("#/trend?event_type=product_view");
    const save = page.getByRole("button", { name: "Save …" });
    await save.focus();
    await page.keyboard.press("Enter");
    expect(await focusOn(page)).toBe("Name");
    await page.keyboard.press("Escape");
    await expect.poll(() => page.getByRole("dialog").count()).toBe(0);
    expect(await focusOn(page)).toBe("Save …");
    await page.keyboard.press("Enter");
    await page.keyboard.type("Product views");
    await page.keyboard.press("Enter");
    await page.getByText("Saved.").waitFor();
    expect(await focusOn(page)).toBe("Save …");
    await page.keyboard.press("Tab");
    expect(await focusOn(page)).toBe("Saved questions");
    await page.keyboard.press("Enter");
    const rename = page.getByRole("button", { name: "Rename: Product views" });
    await rename.focus();
    await page.keyboard.press("Enter");
    expect(await focusOn(page)).toBe("Name");
    await page.keyboard.press("Control+A");
    await page.keyboard.type("Buyers");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("There is a saved question named “Buyers” already").waitFor();
    await page.keyboard.press("Control+A");
    await page.keyboard.type("Views");
    await page.keyboard.press("Enter");
    const remove = page.getByRole("button", { name: "Delete: Views", exact: true });
    await remove.waitFor();
    expect(await focusOn(page)).toBe("Rename: Views");
    await remove.focus();
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Delete the question" }).focus();
    await page.keyboard.press("Enter");
    await expect.poll(() => remove.count()).toBe(0);
    expect(await focusOn(page)).toBe("Pin to the overview: All events");
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
