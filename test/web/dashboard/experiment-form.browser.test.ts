import { expect, test } from "vitest";
import { describeInBrowser } from "../browser.ts";
import { openSite, send, settled } from "./site.ts";

describeInBrowser("the dashboard's new experiments", () => {
  const site = openSite();

  test("are created, watched and stopped with a winner", async () => {
    const page = await site.visited("#/experiments/new");
    await page.getByLabel("Name", { exact: true }).fill("checkout");
    await page.getByLabel("Description").fill("One page instead of three");
    await page.getByLabel("Name of variant 2").fill("one page");
    await page.getByLabel("Name of metric 1").fill("paid");
    await page.getByLabel("Planned users").fill("1000");
    await page.getByRole("button", { name: "Add a variant" }).click();
    await page.getByLabel("Name of variant 3").fill("two pages");
    await page.getByRole("button", { name: "Create the experiment" }).click();
    await page.getByRole("heading", { level: 1, name: "checkout" }).waitFor();
    await settled(page);
    await expect.poll(() => page.getByText("0 of 1,000 planned users").count()).toBe(1);
    await expect.poll(() => page.getByRole("heading", { name: "No data yet" }).count()).toBe(1);

    await page.getByRole("button", { name: "Stop the experiment …" }).click();
    const dialog = page.getByRole("dialog", { name: "Stop checkout?" });
    await dialog.getByLabel("one page").check();
    await expect.poll(() => dialog.getByText(/figures do not show that one page is better/).count()).toBe(1);
    await dialog.getByRole("button", { name: "Stop the experiment" }).click();
    await page.getByText("Winner chosen").waitFor();

    const id = Number(/experiments\/(\d+)/.exec(page.url())?.[1]);
    const stored = await send<Record<string, unknown>>(`${site.url}/apiv1/ab-tests/${id}`, "GET");
    expect(stored).toMatchObject({
      test_name: "checkout",
      description: "One page instead of three",
      status: "stopped",
      winner: "one page",
      planned_users: 1000,
      metrics: [{ metric_name: "paid", kind: "conversion", direction: "increase", role: "primary" }],
      variants: [{ variant_name: "control" }, { variant_name: "one page" }, { variant_name: "two pages" }],
    });
  });

  test("keep their draft while the sample size is calculated, until it is cleared", async () => {
    const page = await site.visited("#/experiments/new");
    await page.getByLabel("Name", { exact: true }).fill("kept");
    await page.getByLabel("Name of metric 1").fill("paid");
    await page.getByRole("button", { name: "Add a variant" }).click();
    await page.getByRole("link", { name: "Calculate sample size" }).click();
    await page.getByRole("link", { name: /^Create an experiment with 30,454 planned users/ }).click();
    await page.getByRole("heading", { name: "New experiment" }).waitFor();
    expect(await page.getByLabel("Planned users").inputValue()).toBe("30454");
    expect(await page.getByLabel("Name", { exact: true }).inputValue()).toBe("kept");
    expect(await page.getByLabel("Name of metric 1").inputValue()).toBe("paid");
    expect(await page.getByLabel(/^Name of variant/).count()).toBe(3);
    await page.getByRole("button", { name: "Clear the form" }).click();
    expect(await page.getByLabel("Name", { exact: true }).inputValue()).toBe("");
    await page.reload();
    await settled(page);
    expect(await page.getByLabel("Name", { exact: true }).inputValue()).toBe("");
  });

  test("show the fault at each field when they are refused", async () => {
    const page = await site.visited("#/experiments/new");
    await page.getByLabel("Weight").first().fill("-1");
    await page.getByLabel("Planned users").fill("many");
    await page.getByLabel("Traffic, in %").fill("140");
    await page.getByLabel("Name of variant 2").fill("control");
    await page.getByRole("button", { name: "Create the experiment" }).click();
    await page.getByRole("alert").waitFor();
    const faultOf = async (label: string) => {
      const field = page.getByLabel(label, { exact: true }).first();
      const ids = (await field.getAttribute("aria-describedby"))?.split(" ") ?? [];
      const last = page.locator(`[id="${ids.at(-1)}"]`);
      return { invalid: await field.getAttribute("aria-invalid"), fault: await last.textContent() };
    };
    expect(await faultOf("Weight")).toEqual({ invalid: "true", fault: "This field must not be negative." });
    expect(await faultOf("Name")).toEqual({ invalid: "true", fault: "This field must not be blank." });
    expect(await faultOf("Traffic, in %")).toEqual({
      invalid: "true",
      fault: "This field must be from 0\u00a0% to 100\u00a0%.",
    });
    expect(await faultOf("Planned users")).toEqual({
      invalid: "true",
      fault: "This field must be a number.",
    });
    await expect
      .poll(() => page.getByRole("alert").evaluate((alert) => alert.parentElement === document.activeElement))
      .toBe(true);
  });

  test("cannot take a name twice, and keep the form's contents", async () => {
    const variants = [{ variant_name: "red" }, { variant_name: "blue" }];
    await send(`${site.url}/apiv1/ab-tests`, "POST", { test_name: "button", variants });
    const page = await site.visited("#/experiments/new");
    await page.getByLabel("Name", { exact: true }).fill("button");
    await page.getByLabel("Name of metric 1").fill("paid");
    await page.getByRole("button", { name: "Create the experiment" }).click();
    await page.getByText(/An experiment named "button" exists already/).waitFor();
    await expect.poll(() => page.getByText("This field is taken.").count()).toBe(1);
    expect(await page.getByLabel("Name of metric 1").inputValue()).toBe("paid");
  });

  test("are planned by the calculator, whose link keeps its fields", async () => {
    const page = await site.visited("#/sample-size");
    const sentence = page.getByText(/^To find a change from/);
    await expect.poll(() => sentence.textContent()).toContain("10 % to 11 %");
    await page.getByLabel("Baseline, in %").fill("20");
    await page.keyboard.press("Enter");
    await expect.poll(() => sentence.textContent()).toContain("20 % to 22 %");
    const again = await site.visited(new URL(page.url()).hash);
    expect(await again.getByText(/^To find a change from/).textContent()).toBe(await sentence.textContent());
    await page.getByRole("link", { name: /^Create an experiment with/ }).click();
    expect(Number(await page.getByLabel("Planned users").inputValue())).toBeGreaterThan(1000);
  });

  test("show the fault at the field when they cannot be planned", async () => {
    const page = await site.visited("#/sample-size?baseline=120");
    await page.getByText(/^This field must be above 0\s% and below 100\s% for a conversion\.$/).waitFor();
    // To ask the same again would not help.
    expect(await page.getByRole("button", { name: "Try again" }).count()).toBe(0);
  });
});
