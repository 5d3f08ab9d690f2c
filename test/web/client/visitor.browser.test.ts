import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import type { VisitorAnalytics } from "../../../web/client/declarations/visitor.d.ts";
import { ask, post } from "../../end-to-end/client.ts";
import type {} from "../../end-to-end/global-setup.ts";
import { testFolder, testServer } from "../../end-to-end/servers.ts";
import { describeInBrowser, testVisitor } from "../browser.ts";
import { launchBrowser } from "../launch.ts";
import { testFront, testPage } from "./front.ts";

declare global {
  var visitor: VisitorAnalytics;
  /** The problems passed to the page's `onRefused`. */
  var problems: string[];
}

const PATIENCE = { timeout: 30_000, interval: 50 };

const SHOP = (url: string) => `<!doctype html>
  <button id="ready">Buy</button>
  <script type="module">
    import { createClient } from "${url}/visitor.js";
    globalThis.problems = [];
    globalThis.visitor = createClient({ timeout: 30_000, onRefused: (problem) => problems.push(problem) });
  </script>`;

const BUTTON = {
  test_name: "button",
  variants: [{ variant_name: "red" }, { variant_name: "blue" }],
  metrics: [{ metric_name: "signup", kind: "conversion" }],
};

interface Stored {
  readonly event_type: string;
  readonly user_id: string;
  readonly session_id: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

describeInBrowser("in Chromium, a page whose visitors log in", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());

  async function scene() {
    const server = await testServer(onTestFinished, await testFolder(onTestFinished));
    await post(server.url, "/apiv1/ab-tests", BUTTON);
    const front = await testFront(onTestFinished, server.url);
    const address = await testPage(onTestFinished, SHOP(front.url));

    /** Opens the page in a browser of its own, unless there is one. */
    async function visit(context = testVisitor(onTestFinished, browser)): Promise<Page> {
      const page = await (await context).newPage();
      await page.goto(address);
      await page.waitForFunction(() => globalThis.visitor !== undefined);
      return page;
    }

    async function stored(): Promise<readonly Stored[]> {
      const { body } = await ask(server.url, { path: "/apiv1/events?limit=100" });
      return JSON.parse(body).events;
    }
    const arrived = (count: number) =>
      vi.waitUntil(async () => ((await stored()).length >= count ? await stored() : undefined), PATIENCE);

    async function funnelOf(...event_types: string[]): Promise<readonly number[]> {
      const steps = event_types.map((event_type) => ({ event_type }));
      const { body } = await post(server.url, "/apiv1/events/funnel", { steps });
      return JSON.parse(body).steps.map(({ users }: { users: number }) => users);
    }

    async function resultsOf(): Promise<{ readonly crossed: number; readonly users: readonly number[] }> {
      const { body } = await ask(server.url, { path: "/apiv1/ab-tests/1/results" });
      const { crossed, results } = JSON.parse(body);
      return { crossed, users: results.map(({ users }: { users: number }) => users).sort() };
    }

    return { server, front, visit, stored, arrived, funnelOf, resultsOf };
  }

  const variantOn = (page: Page): Promise<string | null> => page.evaluate(() => visitor.assign("button"));
  const track = (page: Page, event_type: string) => page.evaluate((type) => visitor.track(type), event_type);
  const identify = (page: Page, user_id: string) => page.evaluate((id) => visitor.identify(id), user_id);
  const kept = (page: Page): Promise<string[]> => page.evaluate(() => Object.keys(localStorage).sort());

  test("is one person before and after the login, on two devices, with one variant", async () => {
    const { visit, arrived, funnelOf, resultsOf } = await scene();
    const phone = await visit();
    const variant = await variantOn(phone);
    await track(phone, "view");
    await identify(phone, "ann");
    expect(await variantOn(phone)).toBe(variant);
    await phone.evaluate(() => visitor.trackMetric("button", "signup"));
    await track(phone, "signup");
    const laptop = await visit();
    await track(laptop, "view");
    await identify(laptop, "ann");
    expect(await variantOn(laptop)).toBe(variant);
    await track(laptop, "buy");
    await arrived(4);
    await vi.waitUntil(async () => (await funnelOf("view", "signup", "buy"))[0] === 1, PATIENCE);
    expect(await funnelOf("view", "signup", "buy")).toEqual([1, 1, 1]);
    expect(await resultsOf()).toEqual({ crossed: 0, users: [0, 1] });
    expect(await phone.evaluate(() => problems)).toEqual([]);
  });

  test("links the ids when the server is back, on a later page", async () => {
    const { front, visit, arrived, funnelOf } = await scene();
    const context = testVisitor(onTestFinished, browser);
    const first = await visit(context);
    await track(first, "view");
    await arrived(1);
    front.trouble = "away";
    await identify(first, "ann");
    await track(first, "buy");
    await first.close();
    front.trouble = "none";
    const second = await visit(context);
    await second.waitForFunction(() => JSON.parse(localStorage["analytics.link"] ?? "{}").isSent, undefined, {
      timeout: PATIENCE.timeout,
    });
    await arrived(2);
    expect(await funnelOf("view", "buy")).toEqual([1, 1]);
  });

  test("begins a new person after a reset, who may log in under another id", async () => {
    const { visit, stored, arrived } = await scene();
    const page = await visit();
    await page.evaluate(() => visitor.register({ plan: "pro" }));
    await identify(page, "ann");
    await track(page, "one");
    await arrived(1);
    await page.evaluate(() => visitor.reset());
    await track(page, "two");
    await identify(page, "bob");
    await track(page, "three");
    const events = [...(await arrived(3))].reverse();
    expect(events.map(({ user_id }) => user_id)).toEqual([
      "ann",
      expect.not.stringMatching(/ann|bob/),
      "bob",
    ]);
    expect(events.map(({ properties }) => properties)).toEqual([{ plan: "pro" }, {}, {}]);
    expect(new Set((await stored()).map(({ session_id }) => session_id)).size).toBe(2);
    expect(await page.evaluate(() => problems)).toEqual([]);
  });

  test("reports a login under another id without a reset", async () => {
    const { visit } = await scene();
    const page = await visit();
    await identify(page, "ann");
    await page.waitForFunction(() => JSON.parse(localStorage["analytics.link"] ?? "{}").isSent);
    await identify(page, "bob");
    await page.waitForFunction(() => problems.length > 0);
    const [problem] = await page.evaluate(() => problems);
    expect(JSON.parse(problem ?? "")).toMatchObject({ status: 409, code: "conflict" });
  });

  test("adds registered properties to every event, and an event's own wins", async () => {
    const { visit, arrived } = await scene();
    const page = await visit();
    await page.evaluate(() => {
      visitor.register({ plan: "free", country: "de" });
      visitor.register({ plan: "pro" });
      visitor.track("view", { country: "fr", page: "/" });
    });
    const [event] = await arrived(1);
    expect(event?.properties).toEqual({ plan: "pro", country: "fr", page: "/" });
  });

  test("sends and keeps nothing after an opt-out, on all pages, until the opt-in", async () => {
    const { front, visit, arrived, stored } = await scene();
    const context = testVisitor(onTestFinished, browser);
    const first = await visit(context);
    await track(first, "view");
    await arrived(1);
    await first.evaluate(() => visitor.optOut());
    expect(await kept(first)).toEqual(["analytics.off"]);
    await first.close();
    front.seen.length = 0;
    const second = await visit(context);
    await identify(second, "ann");
    await track(second, "view");
    expect(await variantOn(second)).toBe(null);
    expect(await second.evaluate(() => visitor.assignments())).toEqual({});
    expect(await kept(second)).toEqual(["analytics.off"]);
    expect(front.seen.filter(({ path }) => path.startsWith("/apiv1/"))).toEqual([]);
    await second.evaluate(() => visitor.optIn());
    await track(second, "again");
    await arrived(2);
    const [again, before] = await stored();
    expect(again?.event_type).toBe("again");
    expect(again?.user_id).not.toBe(before?.user_id);
  });
});
