import type { Page } from "playwright-core";
import { beforeAll, expect, test, vi } from "vitest";
import { describeInBrowser } from "../browser.ts";
import { fill, openSite, viewsOf } from "./site.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const styleOf = (page: Page, selector: string, property: string): Promise<string> =>
  page
    .locator(selector)
    .first()
    .evaluate((element, name) => getComputedStyle(element).getPropertyValue(name), property);

describeInBrowser("the dashboard, as its reader wants it", () => {
  const site = openSite();
  let views: Readonly<Record<string, string>>;

  beforeAll(async () => {
    views = viewsOf(await fill(site));
  });

  test("takes the size of its text from the browser", async () => {
    const page = await site.visited("#/overview");
    expect(await styleOf(page, "main p", "font-size")).toBe("16px");
    await page.evaluate(() => {
      document.documentElement.style.fontSize = "24px";
    });
    expect(await styleOf(page, "main p", "font-size")).toBe("24px");
    expect(await styleOf(page, "main select", "font-size")).toBe("24px");
  });

  test("is printed dark on white, without what can only be pressed, and with tables in full", async () => {
    const page = await site.visited(views["the funnel"] ?? "", { colorScheme: "dark" });
    await page.emulateMedia({ media: "print" });
    expect(await styleOf(page, "body", "color")).toBe("rgb(23, 32, 42)");
    expect(await styleOf(page, "body", "background-color")).toBe("rgb(255, 255, 255)");
    expect(await styleOf(page, "html", "color-scheme")).toBe("light only");
    expect(await page.getByRole("navigation").isVisible()).toBe(false);
    expect(await page.getByRole("button", { name: /^Download as CSV/ }).count()).toBe(0);
    expect(await styleOf(page, ".scroll", "overflow-x")).toBe("visible");
    await page.getByRole("heading", { name: /of users complete the funnel/ }).waitFor();
  });

  test("marks the current view and the bars in colours that its reader has chosen", async () => {
    const page = await site.visited(views["the funnel"] ?? "");
    await page.emulateMedia({ forcedColors: "active" });
    const border = "border-bottom-color";
    const current = await styleOf(page, "nav a[aria-current]", border);
    expect(await styleOf(page, "nav a:not([aria-current])", border)).toBe(
      await styleOf(page, "body", "background-color"),
    );
    expect(current).not.toBe(await styleOf(page, "body", "background-color"));
    expect(await styleOf(page, ".bar-part", "fill")).toBe(await styleOf(page, "main p", "color"));
    expect(await styleOf(page, ".bar-whole", "fill")).toBe(await styleOf(page, "body", "background-color"));
  });
});
