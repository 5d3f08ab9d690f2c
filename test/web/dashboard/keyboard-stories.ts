import type { Page } from "playwright-core";
import { expect } from "vitest";
import { settled } from "./site.ts";

/** The name of the element with the focus, or "the page" where no element has it. */
export const focusOn = (page: Page): Promise<string> => page.evaluate(focused);

function focused(): string {
  const { activeElement } = document;
  if (activeElement === null || activeElement === document.body) return "the page";
  const label = document.querySelector(`label[for="${activeElement.id}"]`);
  return activeElement.getAttribute("aria-label") ?? label?.textContent ?? activeElement.textContent ?? "";
}

/** From the list of experiments, skips the navigation and opens the form of a new one. */
export async function openNewExperimentByKeyboard(page: Page): Promise<void> {
  await page.keyboard.press("Tab");
  expect(await focusOn(page)).toBe("Skip to the content");
  await page.keyboard.press("Enter");
  expect(await page.evaluate(() => document.activeElement?.tagName)).toBe("MAIN");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "New experiment" }).waitFor();
  // The focus has followed to the new view, as it would to a new page.
  await expect.poll(() => page.evaluate(() => document.activeElement?.tagName)).toBe("MAIN");
  expect(await page.title()).toBe("New experiment – Analytics Server");
}

/** From an empty funnel, adds two steps and removes one. */
export async function changeFunnelByKeyboard(page: Page): Promise<void> {
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
}

/** On an experiment's page, opens the dialog to stop it and leaves it, by Escape and by its button. */
export async function leaveDialogByKeyboard(page: Page): Promise<void> {
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
}
