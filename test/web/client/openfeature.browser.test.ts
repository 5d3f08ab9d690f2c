import { join } from "node:path";
import type { OpenFeatureAPI } from "@openfeature/web-sdk";
import { build } from "esbuild";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, onTestFinished, test, vi } from "vitest";
import { ask, post } from "../../end-to-end/client.ts";
import type {} from "../../end-to-end/global-setup.ts";
import { testFolder, testServer } from "../../end-to-end/servers.ts";
import { describeInBrowser, testVisitor } from "../browser.ts";
import { launchBrowser } from "../launch.ts";
import { testFront, testPage } from "./front.ts";

declare global {
  var OpenFeature: OpenFeatureAPI;
  /** Why the provider could not start; null once it has. */
  var startFault: string | null | undefined;
}

const PATIENCE = { timeout: 30_000, interval: 50 };
const NAME = "button";
const BUTTON = { test_name: NAME, variants: [{ variant_name: "red" }, { variant_name: "blue" }] };

/** The code of an application that brings its OpenFeature SDK, bundled with our provider. */
async function pageScript(url: string): Promise<string> {
  const provider = join(inject("project"), "dist/web/openfeature-web.js");
  const contents = `import { OpenFeature } from "@openfeature/web-sdk";
    import { AnalyticsProvider } from ${JSON.stringify(provider)};
    globalThis.OpenFeature = OpenFeature;
    OpenFeature.setProviderAndWait(new AnalyticsProvider({ url: "${url}", timeout: 5_000 }))
      .then(() => { globalThis.startFault = null; }, (error) => { globalThis.startFault = error.message; });`;
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: inject("project") },
    bundle: true,
    write: false,
    format: "esm",
    logLevel: "silent",
  });
  return outputFiles[0]?.text ?? "";
}

describeInBrowser("in Chromium, our OpenFeature provider", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());

  async function scene() {
    const server = await testServer(onTestFinished, await testFolder(onTestFinished));
    await post(server.url, "/apiv1/ab-tests", BUTTON);
    const front = await testFront(onTestFinished, server.url);
    const script = (await pageScript(front.url)).replaceAll("</script", "<\\/script");
    const address = await testPage(onTestFinished, `<!doctype html><script type="module">${script}</script>`);

    /** Opens the page, and waits until the provider has started or failed. */
    async function visit(context: BrowserContext): Promise<Page> {
      const page = await context.newPage();
      await page.goto(address);
      await page.waitForFunction(() => globalThis.startFault !== undefined);
      return page;
    }

    const events = async (): Promise<
      readonly { user_id: string; properties: object; event_type: string }[]
    > => JSON.parse((await ask(server.url, { path: "/apiv1/events?limit=100" })).body).events;
    const arrived = (count: number) =>
      vi.waitUntil(async () => ((await events()).length >= count ? await events() : undefined), PATIENCE);

    async function users(): Promise<number> {
      const { results } = JSON.parse((await ask(server.url, { path: "/apiv1/ab-tests/1/results" })).body);
      return results.reduce((sum: number, variant: { users: number }) => sum + variant.users, 0);
    }

    const asked = (): string[] =>
      front.seen.map(({ path }) => path).filter((path) => path.startsWith("/ofrep/"));

    return { front, visit, arrived, users, asked, context: await testVisitor(onTestFinished, browser) };
  }

  const detailsOn = (page: Page) =>
    page.evaluate((name) => OpenFeature.getClient().getStringDetails(name, "mine"), NAME);
  const become = (page: Page, context: Record<string, string>) =>
    page.evaluate((given) => OpenFeature.setContext(given), context);
  const track = (page: Page, name: string, details = {}) =>
    page.evaluate(([event, given]) => OpenFeature.getClient().track(event, given), [name, details] as const);

  const ALL = "/ofrep/v1/evaluate/flags";
  const ONE = `${ALL}/${NAME}`;

  test("fetches all flags once, and enrols the visitor once who reads one", async () => {
    const { visit, asked, users, context } = await scene();
    const page = await visit(context);
    expect([asked(), await users()]).toEqual([[ALL], 0]);
    const details = await detailsOn(page);
    expect(details).toEqual({
      flagKey: NAME,
      value: details.variant,
      variant: expect.stringMatching(/^(?:red|blue)$/),
      reason: "SPLIT",
      flagMetadata: { test_id: 1 },
    });
    expect(await detailsOn(page)).toEqual(details);
    await vi.waitUntil(async () => (await users()) === 1, PATIENCE);
    expect(asked()).toEqual([ALL, ONE]);
    // On the next page, too, it is the same visitor.
    expect(await detailsOn(await visit(context))).toEqual(details);
    expect(await users()).toBe(1);
  });

  test("gives the code's default, with an error code, for a flag of another type or name", async () => {
    const { visit, users, context } = await scene();
    const page = await visit(context);
    const codes = await page.evaluate(() => {
      const client = OpenFeature.getClient();
      return [
        client.getBooleanDetails("button", true),
        client.getNumberDetails("button", 7),
        client.getObjectDetails("button", { own: true }),
        client.getStringDetails("other", "mine"),
      ].map(({ value, errorCode }) => [value, errorCode]);
    });
    expect(codes).toEqual([
      [true, "TYPE_MISMATCH"],
      [7, "TYPE_MISMATCH"],
      [{ own: true }, "TYPE_MISMATCH"],
      ["mine", "FLAG_NOT_FOUND"],
    ]);
    expect(await users()).toBe(0);
  });

  test("keeps the variant over a login, and begins a new visitor after a logout", async () => {
    const { visit, arrived, users, context } = await scene();
    const page = await visit(context);
    const { variant } = await detailsOn(page);
    await vi.waitUntil(async () => (await users()) === 1, PATIENCE);
    await track(page, "view", { value: 1 });
    await become(page, { targetingKey: "ann" });
    expect((await detailsOn(page)).variant).toBe(variant);
    await track(page, "buy", { value: 12.5, currency: "CHF" });
    await become(page, {});
    await track(page, "leave");
    const stored = [...(await arrived(3))].reverse();
    expect(stored.map(({ event_type, properties }) => [event_type, properties])).toEqual([
      ["view", { value: 1 }],
      ["buy", { value: 12.5, currency: "CHF" }],
      ["leave", {}],
    ]);
    const [anonymous, ann, next] = stored.map(({ user_id }) => user_id);
    expect(ann).toBe("ann");
    expect(new Set([anonymous, ann, next]).size).toBe(3);
    expect(await users()).toBe(1);
  });

  test("shows the flags of an earlier page while the server is away, and enrols and sends when it is back", async () => {
    const { front, visit, arrived, users, context } = await scene();
    const first = await visit(context);
    await first.close();
    front.trouble = "away";
    const page = await visit(context);
    expect(await page.evaluate(() => startFault)).toBeNull();
    const details = await detailsOn(page);
    expect(details).toMatchObject({ value: details.variant, reason: "STALE" });
    await track(page, "buy");
    front.trouble = "none";
    await vi.waitUntil(async () => {
      await detailsOn(page);
      return (await users()) === 1;
    }, PATIENCE);
    expect(await arrived(1)).toMatchObject([{ event_type: "buy" }]);
  });

  test("fails to start where the server was never there, and the code's defaults hold", async () => {
    const { front, visit, context } = await scene();
    front.trouble = "busy";
    const page = await visit(context);
    expect(await page.evaluate(() => startFault)).toMatch(/has not answered/);
    expect(await detailsOn(page)).toMatchObject({ value: "mine", errorCode: "GENERAL" });
  });

  test("sends and keeps nothing of a visitor with Global Privacy Control, who gets the defaults", async () => {
    const { front, visit, context } = await scene();
    await context.addInitScript("Object.defineProperty(navigator, 'globalPrivacyControl', { value: true });");
    const page = await visit(context);
    expect(await detailsOn(page)).toEqual({
      flagKey: NAME,
      value: "mine",
      reason: "DISABLED",
      flagMetadata: {},
    });
    await track(page, "buy");
    await become(page, { targetingKey: "ann" });
    expect(await page.evaluate(() => Object.keys(localStorage))).toEqual([]);
    expect(front.seen).toEqual([]);
  });
});
