import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { ask } from "../../end-to-end/client.ts";
import type {} from "../../end-to-end/global-setup.ts";
import { testFolder, testServer } from "../../end-to-end/servers.ts";
import { describeInBrowser, testVisitor } from "../browser.ts";
import { launchBrowser } from "../launch.ts";
import { testPage } from "./front.ts";

const PATIENCE = { timeout: 30_000, interval: 50 };

/** The ways in which a page asks for page views, with the links that its visitors click. */
const BODY = `<title>Shop</title>
  <a id="outbound" href="https://other.example/a?secret=1#b">Elsewhere</a>
  <a id="download" href="/files/prices.PDF?v=2">Prices</a>
  <a id="inner" href="/inner">Inner</a>
  <a id="mail" href="mailto:ann@example.com">Mail</a>`;
const SCRIPT = (url: string) => `<!doctype html>
  <script defer src="${url}/script.js" data-page-views data-outbound-links data-downloads></script>
  ${BODY}`;
const MODULE = (file: string) => (url: string) =>
  `<!doctype html>
  <script type="module">
    import { createClient } from "${url}/${file}";
    globalThis.analytics = createClient({ pageViews: true, outboundLinks: true, downloads: true });
  </script>
  ${BODY}`;
const WAYS: [string, (url: string) => string][] = [
  ["a classic script tag", SCRIPT],
  ["the client of a page", MODULE("client.js")],
  ["the client with a login", MODULE("visitor.js")],
];

interface Stored {
  readonly event_type: string;
  readonly user_id: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

describeInBrowser("in Chromium, a page of another origin that asks for page views", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());

  async function scene(html: (url: string) => string) {
    const server = await testServer(onTestFinished, await testFolder(onTestFinished));
    const address = await testPage(onTestFinished, html(server.url));
    const visitor = await testVisitor(onTestFinished, browser);
    const page = await visitor.newPage();

    /** Waits for the given number of events, and returns them, oldest first. */
    async function arrived(count: number): Promise<readonly Stored[]> {
      const list = async (): Promise<readonly Stored[]> =>
        JSON.parse((await ask(server.url, { path: "/apiv1/events?limit=100" })).body).events;
      await vi.waitUntil(async () => (await list()).length >= count, PATIENCE);
      return [...(await list())].reverse();
    }

    return { server, address, page, arrived };
  }

  /** Goes to a path as a router does, and waits until the view of it is tracked. */
  const route = (page: Page, act: "pushState" | "replaceState", path: string): Promise<void> =>
    page.evaluate(
      async ([act, path]) => {
        history[act](null, "", path);
        document.title = path;
        await new Promise((resolve) => setTimeout(resolve, 200));
      },
      [act, path] as const,
    );

  const pathsOf = (events: readonly Stored[]) => events.map(({ properties }) => properties.path);

  test.each(WAYS)("by %s tracks the first view with its properties", async (_, html) => {
    const { address, page, arrived } = await scene(html);
    const from = await testPage(
      onTestFinished,
      `<a href="${address}deep/page?utm_source=mail&utm_term=a%20b&q=1#x">Go</a>`,
    );
    await page.goto(from.replace("localhost", "127.0.0.1"));
    await page.click("a");
    const [view, ...others] = await arrived(1);
    expect(others).toEqual([]);
    expect(view).toMatchObject({
      event_type: "page_view",
      properties: {
        path: "/deep/page",
        title: "Shop",
        referrer: new URL(from).host.replace("localhost", "127.0.0.1"),
        language: "en-US",
        screen: "large",
        utm_source: "mail",
        utm_term: "a b",
      },
    });
    expect(view?.properties).not.toHaveProperty("q");
    expect(view?.user_id).toMatch(/^[0-9a-f-]{36}$/);
  });

  test.each(WAYS)("by %s tracks each change of the path once", async (_, html) => {
    const { address, page, arrived } = await scene(html);
    await page.goto(address);
    await arrived(1);
    await route(page, "pushState", "/a");
    await route(page, "replaceState", "/a?tab=2");
    await route(page, "replaceState", "/b");
    await page.goBack();
    await arrived(4);
    await route(page, "pushState", "/end");
    const events = await arrived(5);
    expect(pathsOf(events)).toEqual(["/", "/a", "/b", "/", "/end"]);
    expect(events.map(({ properties }) => properties.title)).toEqual(["Shop", "/a", "/b", "/b", "/end"]);
    expect(events.filter(({ properties }) => "referrer" in properties)).toEqual([]);
    expect(new Set(events.map(({ user_id }) => user_id)).size).toBe(1);
  });

  test.each(WAYS)(
    "by %s tracks clicks on outbound links and downloads, without their queries",
    async (_, html) => {
      const { address, page, arrived } = await scene(html);
      await page.goto(address);
      await arrived(1);
      await page.evaluate(() => {
        addEventListener("click", (event) => event.preventDefault());
        for (const id of ["outbound", "download", "inner", "mail"]) document.getElementById(id)?.click();
      });
      const [, ...clicks] = await arrived(3);
      expect(clicks.map(({ event_type, properties }) => ({ event_type, properties }))).toEqual([
        { event_type: "outbound_link", properties: { url: "https://other.example/a" } },
        { event_type: "download", properties: { url: `${address}files/prices.PDF` } },
      ]);
    },
  );

  test("by one line shows visitors, pages, referrers and devices in the dashboard", async () => {
    const { server, address, page, arrived } = await scene(SCRIPT);
    const from = (await testPage(onTestFinished, `<a href="${address}prices">Go</a>`)).replace(
      "localhost",
      "127.0.0.1",
    );
    await page.goto(from);
    await page.click("a");
    await arrived(1);
    await page.goto(`${server.url}/#/overview`);
    for (const [name, row] of [
      ["Pages", "/prices"],
      ["Referrers", new URL(from).host],
      ["Devices", "desktop"],
    ] as const)
      await page.getByRole("table", { name }).getByRole("link", { name: row }).waitFor(PATIENCE);
    expect(await page.locator(".tile").first().textContent()).toContain("Users1");
  });

  test("tracks nothing by itself where it is not asked to", async () => {
    const { address, page, arrived } = await scene(
      (url) => `<!doctype html><script defer src="${url}/script.js"></script>${BODY}`,
    );
    await page.goto(address);
    await page.evaluate(() => {
      history.pushState(null, "", "/a");
      addEventListener("click", (event) => event.preventDefault());
      for (const id of ["outbound", "download"]) document.getElementById(id)?.click();
      analytics.track("signup", { plan: "pro" });
    });
    expect(await arrived(1)).toMatchObject([{ event_type: "signup", properties: { plan: "pro" } }]);
  });

  test("counts no view of a page that is not shown yet", async () => {
    const { address, page, arrived } = await scene(SCRIPT);
    await page.addInitScript(() => {
      let hidden = true;
      Object.defineProperty(document, "hidden", { get: () => hidden });
      Object.assign(globalThis, {
        show() {
          hidden = false;
          document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
        },
      });
    });
    await page.goto(address);
    await page.evaluate(() => analytics.track("before"));
    expect(await arrived(1)).toMatchObject([{ event_type: "before" }]);
    await page.evaluate("show()");
    expect(await arrived(2)).toMatchObject([{ event_type: "before" }, { event_type: "page_view" }]);
  });

  test("is told of an attribute that does not exist", async () => {
    const { address, page } = await scene(
      (url) => `<!doctype html><script defer src="${url}/script.js" data-pageviews></script>`,
    );
    const warning = page.waitForEvent("console");
    await page.goto(address);
    expect((await warning).text()).toBe("analytics: no option pageviews");
  });
});
