import { beforeAll, expect, onTestFinished, test } from "vitest";
import { openFolder, plainServer } from "../../end-to-end/servers.ts";
import { describeInBrowser } from "../browser.ts";
import { fill, open, openSite, send, settled } from "./site.ts";

describeInBrowser("the dashboard's events", () => {
  const site = openSite();

  beforeAll(async () => {
    await fill(site);
  });

  test("are listed page by page, newest first", async () => {
    const page = await site.visited("#/events");
    const items = page.locator(".events > li");
    await expect.poll(() => items.count()).toBe(50);
    await expect.poll(() => items.first().textContent()).toContain("purchase");
    await page.getByRole("button", { name: "Show older events" }).click();
    await expect.poll(() => items.count()).toBe(100);
    await page.getByRole("button", { name: "Show older events" }).click();
    await expect.poll(() => items.count()).toBe(110);
    expect(await page.getByRole("button", { name: "Show older events" }).count()).toBe(0);
  });

  test("wait until they are opened, so that the list does not move while it is read", async () => {
    const page = await site.visited("#/events?event_type=live");
    await expect.poll(() => page.getByRole("heading", { name: "No such events" }).count()).toBe(1);
    await send(`${site.url}/apiv1/events`, "POST", { event_type: "live", properties: { number: 1 } });
    const button = page.getByRole("button", { name: "Show 1 new event" });
    await button.waitFor({ timeout: 15_000 });
    await expect.poll(() => page.locator(".events > li").count()).toBe(0);
    await button.click();
    await expect.poll(() => page.locator(".events > li").textContent()).toContain("live");
  });

  test("are not polled in a hidden tab, and are offered when it is visible again", async () => {
    const { page, requests } = await site.visit();
    await page.clock.install();
    await open(page, site.url, "#/events?event_type=hidden");
    await page.evaluate(setVisibility, true);
    const before = requests.length;
    await send(`${site.url}/apiv1/events`, "POST", { event_type: "hidden" });
    await page.clock.runFor(60_000);
    expect(requests.slice(before)).toEqual([]);
    await page.evaluate(setVisibility, false);
    await page.getByRole("button", { name: "Show 1 new event" }).waitFor();
    expect(requests.slice(before)).toEqual([`GET ${site.url}/apiv1/events?event_type=hidden&limit=50`]);
  });

  test("are filtered, and a link keeps the filters", async () => {
    const page = await site.visited("#/events");
    await page.getByLabel("Event", { exact: true }).selectOption("product_view");
    await page.getByLabel("User").fill("user-3");
    await page.keyboard.press("Tab");
    await page.getByLabel("Property").selectOption("plan");
    await page.getByLabel("Value of plan").fill("pro");
    await page.keyboard.press("Enter");
    await expect.poll(() => page.locator(".events > li").count()).toBe(2);
    await expect.poll(() => page.url()).toContain("where");
    const again = await site.visited(new URL(page.url()).hash);
    expect(await again.locator(".events > li").allTextContents()).toEqual(
      await page.locator(".events > li").allTextContents(),
    );
    expect(await again.getByLabel("User").inputValue()).toBe("user-3");
    await again.getByRole("button", { name: "Remove: plan is pro" }).click();
    await expect.poll(() => again.url()).not.toContain("where");
  });

  test("lead to the page of their user: facts, variants, and events by session", async () => {
    const { test_id } = await send<{ test_id: number }>(`${site.url}/apiv1/ab-tests`, "POST", {
      test_name: "banner",
      variants: [{ variant_name: "with" }, { variant_name: "without" }],
    });
    await send(`${site.url}/apiv1/ab-tests/${test_id}/assignments`, "POST", [
      { user_id: "user-0", variant: "with" },
    ]);
    await send(`${site.url}/apiv1/users/alias`, "POST", { anonymous_id: "device-0", user_id: "user-0" });
    const page = await site.visited("#/events?user_id=user-0");
    await page.getByRole("link", { name: "user user-0" }).first().click();
    await page.getByRole("heading", { name: "User user-0", level: 1 }).waitFor();
    await expect.poll(() => page.locator(".facts dd").allTextContents()).toContain("device-0");
    const variants = page.getByRole("table", { name: "Variants of this user" });
    expect(await variants.getByRole("row").nth(1).textContent()).toContain("bannerwith");
    const [session] = await page.locator(".session h3").allTextContents();
    expect(session).toMatch(/^Session session-0, .*: 4.events in 7.*days/);
    const types = await page.locator(".session .events strong").allTextContents();
    expect(types).toEqual(["product_view", "product_view", "add_to_cart", "purchase"]);
    expect(await page.title()).toBe("User user-0 – Analytics Server");
  });

  test("can be asked for a property that is not set", async () => {
    const page = await site.visited("#/events?user_id=user-0");
    await expect.poll(() => page.locator(".events > li").count()).toBe(4);
    await page.getByLabel("Property").selectOption("plan");
    await page.getByLabel("Comparison of plan").selectOption("is not set");
    await page.getByRole("button", { name: "Remove: plan is not set" }).waitFor();
    await expect.poll(() => page.locator(".events > li").count()).toBe(2);
    await page.getByLabel("Event", { exact: true }).selectOption("product_view");
    await expect.poll(() => page.getByRole("heading", { name: "No such events" }).count()).toBe(1);
  });

  test("say where the client's clock was ahead", async () => {
    const timestamp = "2126-01-01T00:00:00Z";
    await send(`${site.url}/apiv1/events`, "POST", { event_type: "ahead", timestamp });
    const page = await site.visited("#/events?event_type=ahead&timezone=UTC");
    expect(await page.locator(".events > li").textContent()).toContain(
      "The client’s clock was ahead: it showed 1 Jan 2126, 00:00:00 UTC.",
    );
  });

  test("can be typed where the catalogue fails to load", async () => {
    const { page } = await site.visit();
    const problem = { title: "Unavailable", status: 503, detail: "Ask for less time.", code: "unavailable" };
    await page.route("**/apiv1/events/types*", (route) =>
      route.fulfill({
        status: 503,
        contentType: "application/problem+json",
        body: JSON.stringify(problem),
      }),
    );
    await open(page, site.url, "#/funnel");
    for (const [label, type] of [
      ["Step 1", "product_view"],
      ["Step 2", "purchase"],
    ] as const) {
      await page.getByRole("textbox", { name: "Next step" }).fill(type);
      await page.keyboard.press("Enter");
      await expect.poll(() => page.getByRole("textbox", { name: label }).inputValue()).toBe(type);
    }
    await expect.poll(() => page.locator("main").textContent()).toContain("10\u00a0users");
    await open(page, site.url, "#/events?event_type=purchase");
    expect(await page.getByRole("textbox", { name: "Event", exact: true }).inputValue()).toBe("purchase");
    await expect.poll(() => page.locator(".events > li").count()).toBe(10);
  });

  test("are exported with the filters", async () => {
    const page = await site.visited("#/events?event_type=purchase");
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("link", { name: "Export as JSON lines" }).click(),
    ]);
    const lines: string[] = [];
    for await (const chunk of await download.createReadStream()) lines.push(String(chunk));
    expect(lines.join("").trim().split("\n")).toHaveLength(10);
  });

  test("show the same figures to everybody who opens a link, in any time zone", async () => {
    const first = await site.visited("#/trend?event_type=purchase", { timezoneId: "Pacific/Kiritimati" });
    expect(await first.getByLabel("Time zone").inputValue()).toBe("UTC");
    expect(first.url()).not.toContain("timezone");
    await first.getByLabel("Time zone").selectOption("Pacific/Kiritimati");
    await expect.poll(() => first.url()).toContain("timezone=Pacific%2FKiritimati");
    await settled(first);
    const second = await site.visited(new URL(first.url()).hash, { timezoneId: "America/Los_Angeles" });
    expect(await second.getByLabel("Time zone").inputValue()).toBe("Pacific/Kiritimati");
    const rows = async (page: typeof first): Promise<string[]> => {
      await page.getByText("Show as a table").click();
      await page.locator("details table tr").nth(30).waitFor();
      return page.locator("details table tr").allTextContents();
    };
    const shown = await rows(first);
    expect(shown).toHaveLength(31);
    expect(await rows(second)).toEqual(shown);
    await second.getByRole("link", { name: "Retention" }).click();
    await expect.poll(() => second.getByLabel("Time zone").inputValue()).toBe("Pacific/Kiritimati");
    await second.goBack();
    await expect.poll(() => second.url()).toBe(first.url());
  });

  test("are listed one by one with the filters of the trend that counts them", async () => {
    const page = await site.visited("#/trend?event_type=product_view&where[plan]=pro&days=4&timezone=UTC");
    await page.getByRole("link", { name: "Show these events one by one" }).click();
    await expect.poll(() => page.locator(".events > li").count()).toBe(20);
    expect(await page.getByLabel("Time", { exact: true }).inputValue()).toBe("4");
    expect(await page.getByLabel("Time zone").inputValue()).toBe("UTC");
    await page.getByRole("button", { name: "Remove: plan is pro" }).waitFor();
  });

  test("have a trend whose values can be read by keyboard and as a table", async () => {
    const page = await site.visited(
      "#/trend?event_type=product_view&measure=users&breakdown=plan&timezone=UTC",
    );
    await expect
      .poll(() => page.getByRole("img", { name: /^Unique users per day, 2.lines/ }).count())
      .toBe(1);
    await expect.poll(() => page.locator(".legend li").allTextContents()).toEqual(["free", "pro"]);
    const reading = page.locator(".reading");
    await expect
      .poll(() => reading.textContent())
      .toMatch(/\(not complete\): free: 0\u00a0users; pro: 0\u00a0users/);
    await page.getByRole("slider", { name: "Read a day" }).focus();
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("ArrowLeft");
    await expect.poll(() => reading.textContent()).toContain("free: 20\u00a0users; pro: 20\u00a0users");
    const totals = page.getByRole("table", { name: "Unique users over the whole range" });
    await expect
      .poll(() => totals.getByRole("row").allTextContents())
      .toEqual(["LineUnique users", "free20", "pro20"]);
    await page.getByText("Show as a table").click();
    await expect
      .poll(() => page.getByRole("table", { name: "Unique users per day" }).getByRole("row").count())
      .toBe(31);
  });

  test("have a trend that marks incomplete periods", async () => {
    const page = await site.visited("#/trend");
    expect(
      await page.getByText(/^A hollow point on a dotted line is a day that is not complete/).count(),
    ).toBe(1);
  });

  test("are compared with the period before, in the plot, in words and in the tables", async () => {
    const page = await site.visited("#/trend?event_type=product_view&days=7");
    await page.getByLabel("Compare with the period before").check();
    await expect.poll(() => page.url()).toContain("compare=previous");
    await expect
      .poll(() => page.locator(".legend li").allTextContents())
      .toEqual([expect.stringContaining("product_view"), expect.stringContaining("the period before, ")]);
    const totals = page.getByRole("table", { name: /^Events over the whole range, compared with / });
    await expect
      .poll(() => totals.getByRole("row").allTextContents())
      .toEqual(["LineEventsPeriod beforeChange", "product_view4040no change"]);
    await expect.poll(() => page.locator(".reading").textContent()).toMatch(/compared with .*\(0 before/);
    await page.getByText("Show as a table").click();
    const perDay = page.getByRole("table", { name: "Events per day" }).getByRole("row");
    expect(await perDay.first().textContent()).toBe("DayCompared withproduct_viewproduct_view, before");
    await expect.poll(() => perDay.count()).toBe(8);
  });

  test("are shown for calendar periods, a day by hour", async () => {
    const page = await site.visited("#/trend");
    await page.getByLabel("Time", { exact: true }).selectOption("Yesterday");
    await expect.poll(() => page.getByLabel("Interval").inputValue()).toBe("hour");
    await page.getByLabel("Time", { exact: true }).selectOption("This week");
    await expect.poll(() => page.url()).toContain("range=this_week");
    await expect.poll(() => page.getByLabel("Interval").inputValue()).toBe("day");
    await page.getByRole("link", { name: "Show these events one by one" }).click();
    await page.getByRole("heading", { level: 1, name: "Events" }).waitFor();
    await expect.poll(() => page.getByLabel("Time", { exact: true }).inputValue()).toBe("this_week");
  });

  test("are passed on in a link with fixed dates", async () => {
    const { page } = await site.visit({ permissions: ["clipboard-read", "clipboard-write"] });
    await open(page, site.url, "#/trend?days=7");
    await page.getByRole("button", { name: "Copy link with fixed dates" }).click();
    await page.getByText("Copied.").waitFor();
    const copied = await page.evaluate("navigator.clipboard.readText()");
    expect(copied).toMatch(/#\/trend\?from=\d{4}-\d\d-\d\d&to=\d{4}-\d\d-\d\d&timezone=UTC$/);
  });

  test("are compared in one trend, and the back button undoes it", async () => {
    const page = await site.visited("#/trend?event_type=product_view");
    await page.getByLabel("Add an event").selectOption("purchase");
    await expect
      .poll(() => page.locator(".legend li").allTextContents())
      .toEqual(["product_view", "purchase"]);
    await page.goBack();
    await expect.poll(() => page.locator(".legend li").allTextContents()).toEqual(["product_view"]);
  });

  test("have a funnel that is built step by step", async () => {
    const page = await site.visited("#/funnel");
    await page.getByRole("heading", { name: "Choose at least two steps" }).waitFor();
    await page.getByLabel("Next step").selectOption("product_view");
    await page.getByLabel("Step 1").waitFor();
    await page.getByLabel("Next step").selectOption("add_to_cart");
    await page.getByLabel("Step 2").waitFor();
    await page.getByLabel("Next step").selectOption("purchase");
    await page.getByLabel("Step 3").waitFor();
    await page.getByRole("heading", { name: /^25\.0.% of users complete the funnel/ }).waitFor();
    const steps = page.locator(".funnel > li");
    await expect
      .poll(async () => (await steps.allTextContents()).map((text) => text.replaceAll("\u00a0", " ")))
      .toEqual([
        "1. product_view40 users, 100.0 % of the first step",
        expect.stringMatching(
          /^↓ 50\.0 % went on, 20 of 40 users, median 14\.4 min · 20 users left here2\. add_to_cart20 users, 50\.0 % of the first step$/,
        ),
        expect.stringMatching(
          /^↓ 50\.0 % went on, 10 of 20 users, .* 10 users left here3\. purchase10 users/,
        ),
      ]);
    await page.getByLabel("with", { exact: true }).first().selectOption("price");
    await page.getByLabel("Value of price").fill("4");
    await page.getByLabel("Value of price").blur();
    await expect.poll(() => steps.first().textContent()).toContain("1\u00a0user");
    await page.getByRole("button", { name: "Remove: price is 4" }).click();
    await expect.poll(() => steps.first().textContent()).toContain("40\u00a0users");
    await page.getByLabel("with", { exact: true }).first().selectOption("price");
    await page.getByLabel("Comparison of price").selectOption("is at most");
    await page.getByLabel("Value of price").fill("4");
    await page.getByLabel("Value of price").blur();
    await page.getByRole("button", { name: "Remove: price is at most 4" }).waitFor();
    await expect.poll(() => steps.first().textContent()).toContain("5\u00a0users");
  });

  test("have a funnel that lists who left, and which group completes it best", async () => {
    const steps = encodeURIComponent(
      JSON.stringify([{ event_type: "product_view" }, { event_type: "purchase" }]),
    );
    const page = await site.visited(`#/funnel?steps=${steps}&breakdown=plan`);
    const groups = page.getByRole("table", { name: /^The same by plan/ });
    const names = () => groups.getByRole("rowheader").allTextContents();
    await expect.poll(names).toEqual(["free", "pro"]);
    expect(await groups.getByRole("row").nth(1).textContent()).toMatch(/50\.0.%29\.9.% to 70\.1.%$/);
    await page.getByLabel("Order of the values").selectOption("Best completion first");
    await expect.poll(() => page.url()).toContain("group_sort=completion");
    await expect.poll(names).toEqual(["free", "pro"]);
    await page.getByRole("button", { name: /^30.users left here/ }).click();
    const users = page.getByRole("table", { name: "Users who left after “product_view”" });
    await expect.poll(() => users.getByRole("row").count()).toBe(31);
    await users.getByRole("link", { name: "user-3", exact: true }).click();
    await page.getByRole("heading", { name: "User user-3", level: 1 }).waitFor();
    await page.goBack();
    await page.getByRole("button", { name: "Close the list" }).click();
    await expect.poll(() => users.count()).toBe(0);
  });

  test("have a retention grid with empty cells for future periods and marks for unfinished ones", async () => {
    const page = await site.visited(
      "#/retention?event_type=product_view&interval=day&periods=12&days=12&timezone=UTC",
    );
    const rows = page.getByRole("table").getByRole("row");
    const average = await rows.nth(1).getByRole("cell").allTextContents();
    expect(average.slice(0, 3).map((text) => text.replaceAll("\u00a0", " "))).toEqual([
      "40",
      "100.0 %",
      "0.0 %",
    ]);
    const began = rows.nth(4);
    expect(
      (await began.getByRole("cell").allTextContents()).map((text) => text.replaceAll("\u00a0", " ")),
    ).toEqual([
      "40",
      "100.0 %40 users",
      ...Array(6).fill("0.0 %0 users"),
      "100.0 %40 users",
      "0.0 %0 users",
      "0.0 %*0 users",
      "",
      "",
    ]);
  });

  test("have views with instructions while there are none", async () => {
    const { folder, remove: removeEmpty } = await openFolder();
    const empty = await plainServer.start(folder);
    onTestFinished(async () => {
      await empty.stop();
      await removeEmpty();
    });
    const { page } = await site.visit();
    for (const view of ["events", "trend", "funnel", "retention"]) {
      await open(page, empty.url, `#/${view}`);
      await page.getByRole("heading", { name: "No events yet" }).waitFor();
      await expect.poll(() => page.getByText(`curl ${empty.url}/apiv1/events`).count()).toBe(1);
    }
    await open(page, empty.url, "#/experiments");
    await page.getByRole("link", { name: "Create the first one" }).click();
    await page.getByRole("heading", { name: "New experiment" }).waitFor();
    await settled(page);
  });
});

/** As a browser does when its tab goes behind another, or comes back. */
function setVisibility(hidden: boolean): void {
  Object.defineProperty(document, "hidden", { configurable: true, value: hidden });
  document.dispatchEvent(new Event("visibilitychange"));
}
