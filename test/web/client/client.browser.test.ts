import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, onTestFinished, test, vi } from "vitest";
import type { Analytics } from "../../../web/client/declarations/analytics.d.ts";
import { ask, post } from "../../end-to-end/client.ts";
import type {} from "../../end-to-end/global-setup.ts";
import { testFolder, testServer } from "../../end-to-end/servers.ts";
import { describeInBrowser, testVisitor } from "../browser.ts";
import { launchBrowser } from "../launch.ts";
import { testFront, testPage } from "./front.ts";

declare global {
  var analytics: Analytics;
  /** The problems passed to the page's `onRefused`. */
  var refused: string[];
}

const PATIENCE = { timeout: 30_000, interval: 50 };

/**
 * A page with one button, which tracks numbered clicks, beginning with `?from=`. With `untimed` its timers never fire, so
 * that it sends nothing before it is left; with `timeless` its clock is stopped, so that no item grows old. `ahead` sets
 * its clock forward, in milliseconds. `options` are further options of the client, as JSON.
 */
const CLICKS = (url: string) => `<!doctype html>
  <button>Click</button>
  <script type="module">
    import { createClient } from "${url}/client.js";
    const query = new URLSearchParams(location.search);
    const opened = Date.now();
    if (query.has("untimed")) globalThis.setTimeout = () => 0;
    if (query.has("timeless")) Date.now = () => opened;
    if (query.has("ahead")) {
      const now = Date.now;
      Date.now = () => now() + Number(query.get("ahead"));
    }
    globalThis.refused = [];
    globalThis.analytics = createClient({
      timeout: 30_000,
      user_id: query.get("user_id") ?? undefined,
      onRefused: query.has("warn") ? undefined : (problem) => refused.push(problem),
      ...JSON.parse(query.get("options") ?? "{}"),
    });
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

  /** A server behind a proxy, a page that uses it, and a visitor. */
  async function scene(html: (url: string) => string = CLICKS, variables?: Record<string, string>) {
    const server = await testServer(onTestFinished, await testFolder(onTestFinished), variables);
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

    /** Waits for the given number of clicks, and returns the numbers on them, sorted, with duplicates. */
    async function arrived(count: number): Promise<readonly number[]> {
      await vi.waitUntil(async () => (await stored()).length >= count, PATIENCE);
      return (await stored()).map(({ properties }) => properties.n).sort((a, b) => a - b);
    }

    /** Waits until the client's queue is empty. */
    const settled = (page: Page) =>
      page.waitForFunction(
        () => !Object.keys(localStorage).some((key) => key.startsWith("analytics.queue.")),
        undefined,
        { timeout: PATIENCE.timeout },
      );

    return { server, front, visitor, visit, stored, arrived, settled };
  }

  /** Clicks without a pause, on a busy machine too. */
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

  test("shows the example's button in its variant's colour, and counts a press of it", async () => {
    const example = await readFile(join(inject("project"), "dist/web/example.html"), "utf8");
    const { server, front, visitor, stored, settled } = await scene((url) =>
      example.replaceAll("http://127.0.0.1:20000", url),
    );
    await post(server.url, "/apiv1/ab-tests", COLOURS);
    // A busy machine may take longer than the default of a second.
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
    // The browser has cached the client.
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

  test("sends again after Retry-After what the server was too busy for", async () => {
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

  test("counts a click once when its confirmation was lost", async () => {
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
    // The next page sends the items of the beacon again: it cannot know whether they arrived.
    const next = await visit("?from=3");
    await settled(next);
    expect(batchesOf(front)).toHaveLength(2);
    expect(await arrived(3)).toEqual(upTo(3));
  });

  test("counts once the clicks in flight when their tab was closed", async () => {
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

  test("leaves to the next page what does not fit into a beacon", async () => {
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

  test("sends the clicks of two tabs once each, whichever is closed first", async () => {
    const { front, visit, arrived, settled, stored } = await scene();
    const one = await visit("?timeless");
    const other = await visit("?timeless&from=5");
    // Tabs that begin a session in the same moment would begin two.
    await click(one, 1);
    await other.waitForFunction(() => "analytics.session" in localStorage);
    await Promise.all([click(one, 4), click(other, 5)]);
    expect(await arrived(10)).toEqual(upTo(10));
    await settled(other);
    // No click was sent by both tabs.
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

  test("counts once in a page that was left and shown again", async () => {
    const { visit, arrived, settled } = await scene();
    const page = await visit();
    await click(page, 3);
    // As a browser does that keeps the page in its back/forward cache.
    await page.evaluate(() => dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true })));
    expect(await arrived(3)).toEqual(upTo(3));
    await page.evaluate(() => dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true })));
    await click(page, 2);
    expect(await arrived(5)).toEqual(upTo(5));
    await settled(page);
    expect(await arrived(5)).toEqual(upTo(5));
  });

  test("counts a value for the anonymous visitor who caused it, although the next page knows the user", async () => {
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

  test("keeps twenty clicks when an event is too large to be ever stored, and reports that one event", async () => {
    const { front, visit, arrived, settled } = await scene();
    const page = await visit();
    front.trouble = "away";
    await click(page, 20);
    await page.evaluate(() => analytics.track("click", { text: "x".repeat(1_000_000) }));
    front.clear();
    expect(await arrived(20)).toEqual(upTo(20));
    await settled(page);
    expect(await page.evaluate(() => refused)).toEqual(["Error: over 64 KiB"]);
    expect(await arrived(20)).toEqual(upTo(20));
  });

  test.each([
    ["a page with status 401", 401],
    ["a page with status 404", 404],
    ["a page with status 408", 408],
    ["a page with status 413", 413],
    ["a page with status 425", 425],
    ["a page with status 200", 200],
    ["a redirect that turns the request into a GET", "moved"],
  ] as const)("keeps the clicks when a proxy answers with %s, and reports nothing", async (_, trouble) => {
    const { front, visit, arrived, settled } = await scene();
    const page = await visit();
    front.trouble = trouble;
    await click(page, 3);
    await vi.waitUntil(() => batchesOf(front).length > 0, PATIENCE);
    front.clear();
    expect(await arrived(3)).toEqual(upTo(3));
    await settled(page);
    expect(await page.evaluate(() => refused)).toEqual([]);
  });

  test("stores the clicks of a wrong clock, in their order, once the clock is right", async () => {
    const { front, visit, stored, arrived } = await scene();
    const wrong = await visit(`?ahead=${48 * 3_600_000}`);
    front.trouble = "away";
    await click(wrong, 3);
    await wrong.close();
    const right = await visit("?from=3");
    await click(right, 2);
    front.clear();
    expect(await arrived(5)).toEqual(upTo(5));
    // Newest first.
    expect((await stored()).map(({ properties }) => properties.n)).toEqual([4, 3, 2, 1, 0]);
  });

  test("stores the clicks of a clock that shows 1970", async () => {
    const { visit, arrived, settled } = await scene();
    const page = await visit(`?ahead=${-Date.now()}`);
    await click(page, 2);
    expect(await arrived(2)).toEqual(upTo(2));
    await settled(page);
    expect(await page.evaluate(() => refused)).toEqual([]);
  });

  test("sends a number as the user's id as text, and refuses a blank id in favour of an anonymous one", async () => {
    const { visit, stored, arrived } = await scene();
    const numbered = await visit(`?options=${encodeURIComponent('{"user_id":42}')}`);
    await click(numbered, 1);
    expect(await arrived(1)).toEqual([0]);
    expect((await stored()).map(({ user_id }) => user_id)).toEqual(["42"]);
    const blank = await visit(`?from=1&options=${encodeURIComponent('{"user_id":"  "}')}`);
    await click(blank, 1);
    expect(await arrived(2)).toEqual([0, 1]);
    expect(await blank.evaluate(() => refused)).toEqual([`no user_id ${"  "}`]);
    expect((await stored())[0]?.user_id).toMatch(/^[0-9a-f-]{36}$/);
  });

  test("warns once of each mistake of the page, and never throws", async () => {
    const { visitor, visit } = await scene();
    const told: string[] = [];
    const thrown: Error[] = [];
    visitor.on("console", (message) => message.type() === "warning" && told.push(message.text()));
    visitor.on("weberror", (error) => thrown.push(error.error()));
    const mistaken = (options: object) =>
      visit(`?warn&options=${encodeURIComponent(JSON.stringify(options))}`);
    const page = await mistaken({ url: "localhost:20000" });
    await click(page, 3);
    expect(await page.evaluate(() => analytics.assign("colour"))).toBe(null);
    expect(told).toEqual(["analytics: no url localhost:20000"]);
    await mistaken({ userId: "u1" });
    await vi.waitUntil(() => told.length > 1, PATIENCE);
    expect(told.slice(1)).toEqual(["analytics: no option userId"]);
    expect(thrown).toEqual([]);
  });

  test("warns once of a wrong key, and a handler silences the console", async () => {
    const { visitor, visit, settled } = await scene(CLICKS, {
      ANALYTICS_WRITE_KEYS: "write-key-of-sixteen",
      ANALYTICS_ADMIN_KEYS: "admin-key-of-sixteen",
    });
    const told: string[] = [];
    visitor.on("console", (message) => message.type() === "warning" && told.push(message.text()));
    const options = encodeURIComponent('{"key":"another-key-of-sixteen"}');
    const page = await visit(`?warn&options=${options}`);
    for (let time = 0; time < 2; time++) {
      await click(page, 1);
      await settled(page);
    }
    expect(told).toEqual([expect.stringMatching(/^analytics: \{.*"code":"(unauthorized|forbidden)"/)]);
    const handled = await visit(`?options=${options}`);
    await click(handled, 1);
    await settled(handled);
    expect(told).toHaveLength(1);
    expect(await handled.evaluate(() => refused.length)).toBe(1);
  });

  test("enrols a visitor in the one experiment whose variant is read", async () => {
    const { server, visit } = await scene();
    await post(server.url, "/apiv1/ab-tests", COLOURS);
    for (const test_name of ["second", "third"]) {
      await post(server.url, "/apiv1/ab-tests", { ...COLOURS, test_name });
    }
    const usersOf = async (id: number) => {
      const { results } = JSON.parse((await ask(server.url, { path: `/apiv1/ab-tests/${id}/results` })).body);
      return results.reduce((sum: number, { users }: Variant) => sum + users, 0);
    };
    const page = await visit();
    const variant = await page.evaluate(() => analytics.assign("homepage_button_color"));
    expect(variant).toMatch(/red|blue/);
    expect(await page.evaluate(async () => Object.keys(await analytics.assignments()).length)).toBe(3);
    expect([await usersOf(1), await usersOf(2), await usersOf(3)]).toEqual([1, 0, 0]);
    const second = await page.evaluate(async () => (await analytics.assignments()).second);
    await vi.waitUntil(async () => (await usersOf(2)) === 1, PATIENCE);
    expect(await page.evaluate(() => analytics.assign("second"))).toBe(second);
    expect([await usersOf(1), await usersOf(2), await usersOf(3)]).toEqual([1, 1, 0]);
  });

  test("throws no exception at the page for any argument", async () => {
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
