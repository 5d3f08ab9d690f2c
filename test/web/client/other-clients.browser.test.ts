import { build } from "esbuild";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, onTestFinished, test, vi } from "vitest";
import type {} from "../../end-to-end/global-setup.ts";
import {
  type CompatibleServer,
  enrolledUsers,
  KEYED,
  serveCompatible,
  storedEvents,
  type Trouble,
  WRITE_KEY,
} from "../../handlers/compatible/serve.ts";
import { withColours } from "../../world.ts";
import { describeInBrowser, testVisitor } from "../browser.ts";
import { launchBrowser } from "../launch.ts";
import { testPage } from "./front.ts";

vi.setConfig({ testTimeout: 120_000 });

// The clients wait between their attempts.
const PATIENCE = { timeout: 60_000, interval: 100 };

const SEGMENT = (url: string) => `
  import { AnalyticsBrowser } from "@segment/analytics-next";
  const analytics = AnalyticsBrowser.load({ writeKey: "${WRITE_KEY}", cdnURL: "${url}" });
  await analytics.page();
  globalThis.act = async (name, user) => {
    if (user) await analytics.identify(user, { plan: "pro" });
    await analytics.track(name, { price: 12.5 });
  };`;

// The client leaves out browsers that a program drives.
const POSTHOG = (url: string) => `
  import posthog from "posthog-js";
  posthog.init("${WRITE_KEY}", {
    api_host: "${url}",
    autocapture: false,
    opt_out_useragent_filter: true,
    disable_session_recording: true,
    disable_external_dependency_loading: true,
  });
  globalThis.flag = () =>
    new Promise((resolve) => posthog.onFeatureFlags(() => resolve(posthog.getFeatureFlag("homepage_button_color"))));
  globalThis.act = async (name, user) => {
    if (user) posthog.identify(user);
    posthog.capture(name, { price: 12.5 });
  };`;

const PLAUSIBLE = (url: string) => `
  import { init, track } from "@plausible-analytics/tracker";
  init({ domain: "shop.example", endpoint: "${url}/api/event?key=${WRITE_KEY}", captureOnLocalhost: true });
  globalThis.act = (name) => track(name, { props: { price: "12.5" } });`;

/** Umami's script is in no package. These are its requests: the second one has the cache of the first answer. */
const UMAMI = (url: string) => `
  let cache;
  const send = async (fields) => {
    const { href, hostname } = location;
    const { width, height } = screen;
    const payload = {
      website: "${WRITE_KEY}", hostname, language: navigator.language, referrer: document.referrer,
      screen: width + "x" + height, title: document.title, url: href, ...fields,
    };
    const response = await fetch("${url}/api/send", {
      keepalive: true,
      method: "POST",
      body: JSON.stringify({ type: "event", payload }),
      headers: { "Content-Type": "application/json", ...(cache && { "x-umami-cache": cache }) },
      credentials: "omit",
    });
    ({ cache } = await response.json());
  };
  await send({});
  globalThis.act = (name) => send({ name, data: { price: 12.5 } });`;

async function bundled(contents: string): Promise<string> {
  const {
    outputFiles: [file],
  } = await build({
    stdin: { contents, resolveDir: inject("project"), loader: "js" },
    bundle: true,
    format: "esm",
    platform: "browser",
    write: false,
    logLevel: "error",
    define: { "process.env.NODE_ENV": '"production"' },
  });
  return (file?.text ?? "").replaceAll("</script", "<\\/script");
}

declare global {
  var act: (name: string, user?: string) => Promise<void>;
  var flag: () => Promise<unknown>;
}

describeInBrowser("in Chromium, from another origin, the client of another product", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());

  async function scene(code: (url: string) => string) {
    const server = await serveCompatible(KEYED);
    await withColours(server.world);
    const script = await bundled(code(server.url));
    const address = await testPage(
      onTestFinished,
      `<!doctype html><title>Shop</title><script type="module">${script}</script>`,
    );
    const page = await (await testVisitor(onTestFinished, browser)).newPage();
    await page.goto(`${address}shoes`);
    await page.waitForFunction(() => globalThis.act !== undefined, undefined, PATIENCE);
    return { server, page };
  }

  const typesOf = async (server: CompatibleServer): Promise<string[]> =>
    (await storedEvents(server)).map(({ event_type }) => event_type);
  const arrived = (server: CompatibleServer, type: string) =>
    vi.waitUntil(async () => (await typesOf(server)).includes(type), PATIENCE);
  const act = (page: Page, name: string, user?: string) =>
    page.evaluate(([name, user]) => globalThis.act(name, user), [name, user] as const);

  test.each<[string, (url: string) => string]>([
    ["Segment", SEGMENT],
    ["PostHog", POSTHOG],
    ["Plausible", PLAUSIBLE],
    ["Umami", UMAMI],
  ])("of %s tracks the view of a page with its browser, and an event, once", async (_, code) => {
    const { server, page } = await scene(code);
    await arrived(server, "page_view");
    await act(page, "signup");
    await arrived(server, "signup");
    const events = await storedEvents(server);
    expect(events.filter(({ event_type }) => /^(page_view|signup)$/.test(event_type))).toMatchObject([
      {
        event_type: "page_view",
        user_id: expect.any(String),
        properties: { path: "/shoes", browser: "Chrome", os: "Linux", device: "desktop" },
      },
      { event_type: "signup", user_id: events[0]?.user_id },
    ]);
  });

  test.each<[string, (url: string) => string, Trouble[]]>([
    ["Segment", SEGMENT, [503, 429, "away"]],
    ["PostHog", POSTHOG, [503, "away"]],
  ])("of %s sends again what did not arrive, which is stored once", async (_, code, troubles) => {
    const { server, page } = await scene(code);
    await arrived(server, "page_view");
    server.trouble(...troubles);
    await act(page, "first", "ann");
    await arrived(server, "first");
    await act(page, "last", "ann");
    await arrived(server, "last");
    const types = await typesOf(server);
    expect(types.filter((type) => type === "first" || type === "last")).toEqual(["first", "last"]);
    expect((await storedEvents(server)).at(-1)?.user_id).toBe("ann");
  });

  test("of PostHog shows the variant of a flag, and the exposure enrols the visitor", async () => {
    const { server, page } = await scene(POSTHOG);
    expect(await page.evaluate(() => globalThis.flag())).toMatch(/^(red|blue)$/);
    await vi.waitUntil(async () => (await enrolledUsers(server)) === 1, PATIENCE);
  });
});
