import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, onTestFinished, test, vi } from "vitest";
import type { Analytics } from "../../../web/client/declarations/analytics.d.ts";
import { ask, post } from "../../end-to-end/client.ts";
import type {} from "../../end-to-end/global-setup.ts";
import { testFolder, testServer } from "../../end-to-end/servers.ts";
import { describeInBrowser, launchBrowser, testVisitor } from "../browser.ts";
import { testFront, testPage } from "./front.ts";

declare global {
  var analytics: Analytics;
}

const PATIENCE = { timeout: 30_000, interval: 50 };

/**
 * A page with one button: each click is numbered on from the page's `?from=`. With `untimed` no timer of it ever ends,
 * so that it sends nothing before it is left; with `timeless` its clock stands still, so that nothing in it grows old.
 */
const CLICKS = (url: string) => `<!doctype html>
  <button>Click</button>
  <script type="module">
    import { createClient } from "${url}/client.js";
    const query = new URLSearchParams(location.search);
    const opened = Date.now();
    if (query.has("untimed")) globalThis.setTimeout = () => 0;
    if (query.has("timeless")) Date.now = () => opened;
    globalThis.analytics = createClient({ timeout: 30_000, user_id: query.get("user_id") ?? undefined });
    let n = Number(query.get("from"));
    const filling = "x".repeat(Number(query.get("filling")));
    const button = document.querySelector("button");
    button.onclick = () => analytics.track("click", { n: n++, filling });
    button.id = "ready";
  </script>`;

const COLOURS = {
  test_name: "homepage_button_color",
  variants: [{ variant_name: "red" }, { variant_name: "blue" }],
  metrics: [{ metric_name: "signup", kind: "conversion" }],
};

interface Stored {
  readonly user_id: string;
  readonly session_id: string;
  readonly properties: { readonly n: number; readonly [name: string]: unknown };
}

describeInBrowser("in Chromium, a page of another origin", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());

  /** A server with a front, a page that uses them, and a visitor. */
  async function scene(html: (url: string) => string = CLICKS) {
    const server = await testServer(onTestFinished, await testFolder(onTestFinished));
    const front = await testFront(onTestFinished, server.url);
    const address = await testPage(onTestFinished, html(front.url));
    const visitor = await testVisitor(onTestFinished, browser);

    async function visit(query = ""): Promise<Page> {
      const page = await visitor.newPage();
      await page.goto(address + query);
      await page.waitForSelector("#ready");
      return page;
    }

    async function stored(type = "click"): Promise<readonly Stored[]> {
      const { body } = await ask(server.url, { path: `/apiv1/events?event_type=${type}&limit=500` });
      return JSON.parse(body).events;
    }

    /** Waits until as many clicks as these have arrived, and says which: in their order, a double one twice. */
    async function arrived(count: number): Promise<readonly number[]> {
      await vi.waitUntil(async () => (await stored()).length >= count, PATIENCE);
      return (await stored()).map(({ properties }) => properties.n).sort((a, b) => a - b);
    }

    /** Waits until the client knows that everything has arrived. */
    const settled = (page: Page) =>
      page.waitForFunction(
        () => !Object.keys(localStorage).some((key) => key.startsWith("analytics.queue.")),
        undefined,
        { timeout: PATIENCE.timeout },
      );

    return { server, front, visitor, visit, stored, arrived, settled };
  }

  /** Clicks without a pause, however busy this machine is. */
  const click = (page: Page, times: number): Promise<void> =>
    page.$eval(
      "button",
      (button, times) => {
        for (let time = 0; time < times; time++) button.click();
      },
      times,
    );

  const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, n) => n);
  const batchesOf = ({ seen }: Awaited<ReturnType<typeof testFront>>) =>
    seen.filter(({ path }) => path === "/apiv1/events/batch");

  test("shows the example's button in its variant's colour, and tells who pressed it", async () => {
    const example = await readFile(join(inject("project"), "dist/web/example.html"), "utf8");
    const { server, front, visitor, stored, settled } = await scene((url) =>
      example.replaceAll("http://127.0.0.1:20000", url),
    );
    await post(server.url, "/apiv1/ab-tests", COLOURS);
    // Here nobody waits for the colour but us.
    const patient = example.replace("createClient({", "createClient({ timeout: 30_000,");
    const address = await testPage(onTestFinished, patient.replaceAll("http://127.0.0.1:20000", front.url));
    const page = await visitor.newPage();
    await page.goto(address);
    await page.waitForSelector("#submit[class]");
    const colour = await page.getAttribute("#submit", "class");
    await page.click("#submit");
    await settled(page);
    const [event, ...others] = await stored("button_click");
    expect(others).toEqual([]);
    expect(event?.properties).toEqual({ button_name: "submit", page: "homepage" });
    const explained = await ask(server.url, {
      path: `/apiv1/ab-tests/1/assignment?user_id=${event?.user_id}`,
    });
    expect(JSON.parse(explained.body)).toMatchObject({ variant: colour });
    expect(await signups(server.url)).toEqual(
      ["red", "blue"].map((variant_name) => ({
        variant_name,
        users: Number(variant_name === colour),
        converted: Number(variant_name === colour),
      })),
    );
  });

  test("sends clicks together, without a preflight and without a cookie", async () => {
    const { front, visitor, visit, stored, arrived, settled } = await scene();
    const page = await visit();
    await click(page, 5);
    expect(await arrived(5)).toEqual(upTo(5));
    await settled(page);
    expect(front.seen.map(({ method, path }) => `${method} ${path}`)).toEqual(["POST /apiv1/events/batch"]);
    expect(await visitor.cookies()).toEqual([]);
    const [first, ...others] = await stored();
    expect(first?.user_id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(others.every(({ user_id }) => user_id === first?.user_id)).toBe(true);
    expect(others.every(({ session_id }) => session_id === first?.session_id)).toBe(true);
  });

  test("loses no click while the visitor is offline", async () => {
    const { visitor, visit, arrived, settled } = await scene();
    const page = await visit();
    await click(page, 2);
    await visitor.setOffline(true);
    await click(page, 3);
    await visitor.setOffline(false);
    expect(await arrived(5)).toEqual(upTo(5));
    await settled(page);
    expect(await arrived(5)).toEqual(upTo(5));
  });

  test("works while the server is away, and keeps the clicks over a reload", async () => {
    const { server, front, visit, arrived, settled } = await scene();
    await post(server.url, "/apiv1/ab-tests", COLOURS);
    const page = await visit();
    front.trouble = "away";
    expect(await page.evaluate(() => analytics.assign("homepage_button_color"))).toBe(null);
    await click(page, 3);
    // The browser has kept the client.
    await page.goto(`${page.url()}?from=3`);
    await page.waitForSelector("#ready");
    await click(page, 2);
    front.clear();
    expect(await arrived(5)).toEqual(upTo(5));
    await settled(page);
    expect(await arrived(5)).toEqual(upTo(5));
  });

  test("remembers the variant for a time when the server is away", async () => {
    const { server, front, visit } = await scene();
    await post(server.url, "/apiv1/ab-tests", COLOURS);
    const page = await visit();
    const variants = await page.evaluate(() => analytics.assignments());
    front.trouble = "away";
    await page.reload();
    await page.waitForSelector("#ready");
    expect(await page.evaluate(() => analytics.assign("homepage_button_color"))).toBe(
      variants.homepage_button_color,
    );
    expect(variants.homepage_button_color).toMatch(/red|blue/);
  });

  test("sends again what the server was too busy for, when the server has asked for it", async () => {
    const { front, visit, arrived, settled } = await scene();
    const page = await visit();
    front.trouble = "busy";
    await click(page, 3);
    await vi.waitUntil(() => batchesOf(front).length > 0, PATIENCE);
    front.clear();
    await click(page, 2);
    expect(await arrived(5)).toEqual(upTo(5));
    await settled(page);
    const [first, second] = batchesOf(front);
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(1_000);
    expect(await arrived(5)).toEqual(upTo(5));
  });

  test("counts a click once whose confirmation was lost", async () => {
    const { front, visit, arrived, settled } = await scene();
    const page = await visit();
    front.trouble = "mute";
    await click(page, 3);
    expect(await arrived(3)).toEqual(upTo(3));
    front.clear();
    await settled(page);
    expect(batchesOf(front).length).toBeGreaterThan(1);
    expect(await arrived(3)).toEqual(upTo(3));
  });

  test("sends the last click when its tab is closed at once", async () => {
    const { front, visit, arrived, settled } = await scene();
    const page = await visit("?untimed");
    await click(page, 3);
    await page.close();
    expect(await arrived(3)).toEqual(upTo(3));
    // What was handed over is sent again by the next page, which cannot know what became of it.
    const next = await visit("?from=3");
    await settled(next);
    expect(batchesOf(front)).toHaveLength(2);
    expect(await arrived(3)).toEqual(upTo(3));
  });

  test("counts once what was under way when its tab was closed", async () => {
    const { front, visit, arrived, settled } = await scene();
    const page = await visit();
    front.trouble = "slow";
    await click(page, 3);
    await vi.waitUntil(() => batchesOf(front).length > 0, PATIENCE);
    await click(page, 2);
    await page.close();
    front.clear();
    expect(await arrived(5)).toEqual(upTo(5));
    await settled(await visit("?from=5"));
    expect(await arrived(5)).toEqual(upTo(5));
  });

  test("leaves for the next page what does not fit into a beacon", async () => {
    const { front, visit, arrived, settled } = await scene();
    const page = await visit("?untimed&filling=15000");
    await click(page, 8);
    await page.close();
    // Four of them are almost 64 KiB.
    expect(await arrived(4)).toEqual(upTo(4));
    await settled(await visit("?from=8"));
    expect(await arrived(8)).toEqual(upTo(8));
    // The first four were sent again, and there was no waiting for room.
    expect(batchesOf(front)).toHaveLength(12);
  });

  test("sends the clicks of two tabs once each, whoever is closed first", async () => {
    const { front, visit, arrived, settled, stored } = await scene();
    const one = await visit("?timeless");
    const other = await visit("?timeless&from=5");
    // Two that begin a session at the very same moment know nothing of each other.
    await click(one, 1);
    await other.waitForFunction(() => "analytics.session" in localStorage);
    await Promise.all([click(one, 4), click(other, 5)]);
    expect(await arrived(10)).toEqual(upTo(10));
    await settled(other);
    // No click was sent by both.
    const sent = batchesOf(front).flatMap(({ body }) => JSON.parse(body).events);
    expect(sent).toHaveLength(10);
    expect(new Set((await stored()).map(({ session_id }) => session_id)).size).toBe(1);

    front.trouble = "away";
    const third = await visit("?from=10");
    await click(third, 3);
    await third.close();
    front.clear();
    await one.close();
    await visit();
    expect(await arrived(13)).toEqual(upTo(13));
    await settled(other);
    expect(await arrived(13)).toEqual(upTo(13));
  });

  test("sends and keeps nothing where Global Privacy Control is set, and forgets what was kept", async () => {
    const { front, visitor, visit, settled } = await scene();
    const before = await visit();
    await click(before, 1);
    await settled(before);
    front.seen.length = 0;
    await visitor.addInitScript(() =>
      Object.defineProperty(navigator, "globalPrivacyControl", { value: true }),
    );
    const page = await visit();
    await click(page, 2);
    expect(await page.evaluate(() => analytics.assign("homepage_button_color"))).toBe(null);
    expect(await page.evaluate(() => analytics.assignments())).toEqual({});
    expect(await page.evaluate(() => Object.keys(localStorage))).toEqual([]);
    await page.close();
    await before.close();
    expect(front.seen).toEqual([]);
  });

  test("works where storage is forbidden, as long as the page lasts", async () => {
    const { front, visitor, visit, arrived } = await scene();
    await visitor.addInitScript(() =>
      Object.defineProperty(globalThis, "localStorage", {
        get: () => {
          throw new DOMException("forbidden", "SecurityError");
        },
      }),
    );
    const page = await visit();
    front.trouble = "busy";
    await click(page, 3);
    await vi.waitUntil(() => batchesOf(front).length > 0, PATIENCE);
    front.clear();
    expect(await arrived(3)).toEqual(upTo(3));
  });

  test("hands over the clicks where storage is full", async () => {
    const { visit, arrived } = await scene();
    const page = await visit("?untimed");
    await page.evaluate(() => {
      for (let length = 2 ** 22; length >= 1; length /= 2) {
        try {
          for (let n = 0; ; n++) localStorage.setItem(`page.${length}.${n}`, "x".repeat(length));
        } catch {}
      }
    });
    await click(page, 3);
    expect(
      await page.evaluate(() =>
        Object.keys(localStorage).filter((key) => key.startsWith("analytics.queue.")),
      ),
    ).toEqual([]);
    await page.close();
    expect(await arrived(3)).toEqual(upTo(3));
  });

  test("goes on counting once in a page that was left and come back to", async () => {
    const { visit, arrived, settled } = await scene();
    const page = await visit();
    await click(page, 3);
    // As a browser does that keeps the page as it is, timers and all.
    await page.evaluate(() => dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true })));
    expect(await arrived(3)).toEqual(upTo(3));
    await page.evaluate(() => dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true })));
    await click(page, 2);
    expect(await arrived(5)).toEqual(upTo(5));
    await settled(page);
    expect(await arrived(5)).toEqual(upTo(5));
  });

  test("leaves a value with the visitor who was not known yet, though the next page knows them", async () => {
    const { server, front, visit, settled } = await scene();
    await post(server.url, "/apiv1/ab-tests", COLOURS);
    const page = await visit("?untimed");
    const colour = await page.evaluate(() => analytics.assign("homepage_button_color"));
    front.trouble = "away";
    await page.evaluate(() => analytics.trackMetric("homepage_button_color", "signup"));
    await page.close();
    front.clear();
    await settled(await visit("?user_id=user123"));
    expect(await signups(server.url)).toEqual(
      ["red", "blue"].map((variant_name) => ({
        variant_name,
        users: Number(variant_name === colour),
        converted: Number(variant_name === colour),
      })),
    );
  });

  test("throws nothing at the page, whatever it is given", async () => {
    const { visit, arrived } = await scene();
    const page = await visit();
    const thrown: Error[] = [];
    page.on("pageerror", (error) => thrown.push(error));
    await page.evaluate(() => {
      const circle: Record<string, unknown> = {};
      circle.circle = circle;
      for (const strange of [circle, { n: 1n }, "text", null, () => 1])
        analytics.track("odd", strange as never);
      analytics.track(undefined as never);
      analytics.trackMetric("no_such_test", "signup", Number.NaN);
    });
    await click(page, 2);
    expect(await arrived(2)).toEqual(upTo(2));
    expect(thrown).toEqual([]);
  });
});

async function signups(url: string) {
  const { results } = JSON.parse((await ask(url, { path: "/apiv1/ab-tests/1/results" })).body);
  return results.map(({ variant_name, users, metrics: [signup] }: Variant) => ({
    variant_name,
    users,
    converted: signup.converted_users,
  }));
}

interface Variant {
  readonly variant_name: string;
  readonly users: number;
  readonly metrics: readonly [{ readonly converted_users: number }];
}
