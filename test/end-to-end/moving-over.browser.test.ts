import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { describeInBrowser, testVisitor } from "../web/browser.ts";
import { testPage } from "../web/client/front.ts";
import { launchBrowser } from "../web/launch.ts";
import { programIn, shop } from "./quick-starts.ts";

// Google's script, without the part that it loads; the calls before and after ours.
const GTAG = `<!doctype html><title>Shop</title><script>
  window.dataLayer = window.dataLayer || [];
  function gtag() { dataLayer.push(arguments); }
  gtag("js", new Date());
  gtag("config", "G-123");
  dataLayer.push({ event: "gtm.js" });
  gtag("event", "view_item", { value: 9.5, currency: "CHF" });
</script>`;

describeInBrowser("in Chromium, a page with Google's gtag", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());

  test("sends its events here as well, by the script of docs/moving-over.md", async () => {
    const { filled, events } = await shop(onTestFinished);
    const script = filled(await programIn("docs/moving-over.md", "Google Analytics", "html"));
    const page = await (await testVisitor(onTestFinished, browser)).newPage();
    await page.goto(await testPage(onTestFinished, GTAG + script));
    await page.waitForFunction(() => Object.hasOwn(dataLayer, "push"));
    await page.evaluate(() => {
      gtag("set", { user_id: "ann" });
      gtag("event", "purchase", { value: 12 });
    });
    const counted = async () => {
      const stored = await events();
      return stored
        .filter(({ event_type }) => event_type !== "page_view")
        .map(({ event_type, properties }) => [event_type, properties]);
    };
    await expect.poll(counted, { timeout: 30_000 }).toEqual([
      ["view_item", { value: 9.5, currency: "CHF" }],
      ["purchase", { value: 12 }],
    ]);
    const [first, last] = [(await events())[0], (await events()).at(-1)];
    expect(last?.user_id).toBe("ann");
    expect(first?.user_id).not.toBe("ann");
    // Google's own script still gets everything.
    expect(await page.evaluate(() => dataLayer.length)).toBe(6);
  });
});

declare global {
  var dataLayer: unknown[];
  function gtag(...call: unknown[]): void;
}
