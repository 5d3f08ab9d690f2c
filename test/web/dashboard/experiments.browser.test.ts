import { beforeAll, expect, test } from "vitest";
import { describeInBrowser } from "../browser.ts";
import { fill, open, openSite, send } from "./site.ts";

describeInBrowser("the dashboard's experiments", () => {
  const site = openSite();
  let ids: Awaited<ReturnType<typeof fill>>;

  beforeAll(async () => {
    ids = await fill(site);
  });

  const twoVariants = async (test_name: string): Promise<number> => {
    const { test_id } = await send<{ test_id: number }>(`${site.url}/apiv1/ab-tests`, "POST", {
      test_name,
      variants: [{ variant_name: "red" }, { variant_name: "blue" }],
      metrics: [{ metric_name: "signup", kind: "conversion" }],
    });
    return test_id;
  };

  test("are listed with status, users and verdict", async () => {
    const page = await site.visited("#/experiments");
    const card = page.getByRole("listitem").filter({ hasText: "button" });
    await expect.poll(() => card.getByText("running").count()).toBe(1);
    await expect.poll(() => card.getByText("800 users", { exact: true }).count()).toBe(1);
    await expect.poll(() => card.getByText("Winner", { exact: true }).count()).toBe(1);
    await expect.poll(() => card.getByText(/“blue” is better than “red” on signup/).count()).toBe(1);
    await card.getByRole("link", { name: "button" }).click();
    await expect.poll(() => page.title()).toBe("button – Analytics Server");
  });

  test("are listed by one request, can be searched and sorted, and hide archived ones", async () => {
    const archived = await twoVariants("banner of last year");
    const url = `${site.url}/apiv1/ab-tests/${archived}`;
    for (const status of ["stopped", "archived"]) await send(url, "PATCH", { status });
    const { page, requests } = await site.visit();
    await open(page, site.url, "#/experiments?sort=users");
    const names = () => page.locator(".card h2").allTextContents();
    await expect.poll(names).toEqual(["redirect", "button", "headline", "footer"]);
    expect(requests.filter((request) => request.includes("/apiv1/"))).toHaveLength(1);
    await page.getByLabel("Search").fill("BUT");
    await page.keyboard.press("Enter");
    await expect.poll(names).toEqual(["button"]);
    await page.getByLabel("Search").fill("banner");
    await page.keyboard.press("Enter");
    await page.getByText("No experiment fits the filters.").waitFor();
    await page.getByRole("link", { name: "Show all experiments." }).click();
    await expect.poll(names).toContain("banner of last year");
  });

  test("show the verdict first, then each interval as words, a line and a mark at zero", async () => {
    const page = await site.visited(`#/experiments/${ids.winner}`);
    const [first] = await page.getByRole("heading", { level: 2 }).allTextContents();
    expect(first?.trim()).toBe("Winner");
    const interval = page.getByRole("img", { name: /^blue: \+20 percentage points, interval: \+\d/ });
    await expect.poll(() => interval.locator(".whisker line").count()).toBe(3);
    const zero = await interval.locator("line.zero").boundingBox();
    const whisker = await interval.locator(".whisker line").first().boundingBox();
    expect(zero?.x).toBeLessThan(whisker?.x ?? 0);
    await expect.poll(() => page.locator(".interval-row.good").count()).toBe(1);
  });

  test.each(["open", "early"] as const)(
    "never look like a winner while they are undecided: %s",
    async (which) => {
      const page = await site.visited(`#/experiments/${ids[which]}`);
      expect(await page.locator(".good, .bad, .verdict-good, .verdict-bad").count()).toBe(0);
      const [first] = await page.getByRole("heading", { level: 2 }).allTextContents();
      expect(first?.trim()).toBe(which === "open" ? "No difference yet" : "Too early to say");
    },
  );

  test("show a broken split over the whole width, and hide all figures", async () => {
    const page = await site.visited(`#/experiments/${ids.broken}`, { viewport: { width: 390, height: 800 } });
    const alarm = page.getByRole("alert");
    await expect.poll(() => alarm.getByRole("heading").textContent()).toContain("The split is broken");
    expect(await alarm.boundingBox()).toMatchObject({ x: 0, width: 390 });
    expect(await page.getByRole("heading", { name: "signup" }).isVisible()).toBe(false);
    await page.getByText("Show the unreliable figures").click();
    expect(await page.getByRole("heading", { name: /^signup/, level: 3 }).isVisible()).toBe(true);
    expect(await page.locator(".good, .bad").count()).toBe(0);
  });

  test.each([390, 1280])(
    "keep every figure visible with names of any length, %d pixels wide",
    async (width) => {
      const long = (text: string): string => text.repeat(200).slice(0, 200);
      const test_name = `${width} ${long("name")}`.slice(0, 200);
      const body = {
        test_name,
        variants: [{ variant_name: long("before_") }, { variant_name: long("after the change ") }],
        metrics: [{ metric_name: long("signup_"), kind: "conversion" }],
      };
      const { test_id } = await send<{ test_id: number }>(`${site.url}/apiv1/ab-tests`, "POST", body);
      const page = await site.visited(`#/experiments/${test_id}`, { viewport: { width, height: 800 } });
      const hidden = await page.evaluate(() =>
        [document.documentElement, ...document.querySelectorAll(".scroll")].map(
          (part) => part.scrollWidth - part.clientWidth,
        ),
      );
      expect(hidden).toEqual([0, 0, 0, 0]);
    },
  );

  test("isolate right-to-left names from the figures next to them", async () => {
    const [control, other] = ["أحمر", "أزرق"];
    const { test_id } = await send<{ test_id: number }>(`${site.url}/apiv1/ab-tests`, "POST", {
      test_name: "rtl",
      variants: [{ variant_name: control }, { variant_name: other }],
      metrics: [{ metric_name: "signup" }],
    });
    await send(`${site.url}/apiv1/ab-tests/${test_id}/assignments`, "POST", [
      { user_id: "user123", variant: other },
    ]);
    const page = await site.visited(`#/experiments/${test_id}`);
    expect(await page.locator(".sentence").textContent()).toContain(`“\u2068${control}\u2069” has 0 users`);
  });

  test("show the role of each metric, and the risk of a choice behind a warning", async () => {
    const page = await site.visited(`#/experiments/${ids.winner}`);
    const signup = page.getByRole("table", { name: "signup by variant" });
    await expect.poll(() => signup.getByText(/^better \(p-value/).count()).toBe(1);
    const metrics = page.getByRole("table", { name: /^Difference of each variant/ });
    await expect
      .poll(() => metrics.getByRole("rowheader").locator("small").allTextContents())
      .toEqual(["primary metric", "exploratory"]);
    expect(await page.getByRole("columnheader", { name: /^Expected loss/ }).count()).toBe(0);
    await page.getByText("If you must choose now").first().click();
    await page.getByText(/These figures are no verdict/).waitFor();
    await expect.poll(() => page.getByRole("columnheader", { name: /^Expected loss/ }).count()).toBe(2);
    await metrics.getByRole("button", { name: "complaints" }).click();
    await page.getByRole("table", { name: "complaints by variant" }).waitFor();
    expect(await signup.count()).toBe(0);
    expect(page.url()).toContain("metric=complaints");
  });

  test("show a guardrail with its margin, and a harmed one in the verdict", async () => {
    const { test_id } = await send<{ test_id: number }>(`${site.url}/apiv1/ab-tests`, "POST", {
      test_name: "guarded",
      variants: [{ variant_name: "red" }, { variant_name: "blue" }],
      metrics: [
        { metric_name: "signup", kind: "conversion", role: "primary" },
        {
          metric_name: "crash",
          kind: "conversion",
          direction: "decrease",
          role: "guardrail",
          margin: 0.005,
        },
      ],
    });
    const url = `${site.url}/apiv1/ab-tests/${test_id}`;
    const users = ["red", "blue"].flatMap((variant) =>
      Array.from({ length: 400 }, (_, index) => ({ user_id: `${variant}-${index}`, variant, index })),
    );
    await send(
      `${url}/assignments`,
      "POST",
      users.map(({ user_id, variant }) => ({ user_id, variant })),
    );
    const values = users.flatMap(({ user_id, variant, index }) => {
      const isBlue = variant === "blue";
      const names = [
        ...(index % 10 < (isBlue ? 3 : 1) ? ["signup"] : []),
        ...(index % 40 < (isBlue ? 12 : 1) ? ["crash"] : []),
      ];
      return names.map((metric_name) => ({ user_id, metric_name }));
    });
    await send(`${url}/track/batch`, "POST", values);
    const page = await site.visited(`#/experiments/${test_id}`);
    const [first] = await page.getByRole("heading", { level: 2 }).allTextContents();
    expect(first?.trim()).toBe("Better, but a guardrail got worse");
    await expect
      .poll(() => page.getByText(/guardrail; may get worse by at most 0\.5 percentage points/).count())
      .toBe(1);
    const metrics = page.getByRole("table", { name: /^Difference of each variant/ });
    await expect.poll(() => metrics.locator(".difference.good").allTextContents()).toHaveLength(1);
    expect(await metrics.locator(".difference.bad").textContent()).toContain("worse");
  });

  test("show their timeline as a plot, a slider and a table", async () => {
    const page = await site.visited(`#/experiments/${ids.winner}`);
    const plot = page.getByRole("img", { name: /^Difference of blue from red, day by day/ });
    await expect.poll(() => plot.locator("canvas").count()).toBe(1);
    const slider = page.getByRole("slider", { name: "Read a day" });
    const latest = await slider.getAttribute("aria-valuetext");
    expect(latest).toMatch(/\+20 percentage points, interval .*, 800\u00a0users in total/);
    await slider.focus();
    await page.keyboard.press("ArrowLeft");
    await expect.poll(() => page.locator(".reading").textContent()).not.toBe(latest);
    await page.getByText("Show as a table").click();
    const table = page.getByRole("table", { name: "Results at the end of each day" });
    await expect.poll(() => table.getByRole("row").count()).toBe(4);
  });

  test("ask to start a draft first, and show how to track its metric", async () => {
    const { test_id } = await send<{ test_id: number }>(`${site.url}/apiv1/ab-tests`, "POST", {
      test_name: "draft",
      status: "draft",
      variants: [{ variant_name: "a" }, { variant_name: "b" }],
      metrics: [{ metric_name: "buyer's joy" }],
    });
    const page = await site.visited(`#/experiments/${test_id}`);
    await page.getByText("A draft takes no users: start the experiment first.").waitFor();
    const url = `${site.url}/apiv1/ab-tests/${test_id}`;
    expect(await page.locator("pre").allTextContents()).toEqual([
      `curl ${url}/assign -H 'content-type: application/json' -d '{"user_id":"user123"}'`,
      `curl ${url}/track -H 'content-type: application/json' -d '{"user_id":"user123","metric_name":"buyer'\\''s joy"}'`,
    ]);
    await page.getByRole("button", { name: "Start the experiment" }).click();
    await page.getByText("running", { exact: true }).waitFor();
    await expect.poll(() => page.getByText("A draft takes no users").count()).toBe(0);
  });

  test("can be paused, resumed, and stopped with the decision and its reason", async () => {
    const test_id = await twoVariants("life");
    const page = await site.visited(`#/experiments/${test_id}`);
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByText("paused", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Resume" }).click();
    await page.getByText("running", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Stop the experiment …" }).click();
    const dialog = page.getByRole("dialog", { name: "Stop life?" });
    await dialog.getByLabel("blue").check();
    await dialog.getByLabel("Decided by").fill("Ada");
    await dialog.getByLabel("Reason").fill("Easier to read");
    await dialog.getByRole("button", { name: "Stop the experiment" }).click();
    await page.getByText(/Decided by Ada, .*: Easier to read/).waitFor();
    const stopped = await send(`${site.url}/apiv1/ab-tests/${test_id}`, "GET");
    expect(stopped).toMatchObject({
      status: "stopped",
      winner: "blue",
      decision: { who: "Ada", why: "Easier to read" },
    });
  });

  test("keep a hypothesis and notes", async () => {
    const test_id = await twoVariants("noted");
    const page = await site.visited(`#/experiments/${test_id}`);
    await page.getByText("Edit description, hypothesis and notes").click();
    await page.getByRole("textbox", { name: "Hypothesis" }).fill("Blue is seen earlier");
    await page.getByRole("textbox", { name: "Notes" }).fill("Started with the autumn mailing");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Hypothesis: Blue is seen earlier").waitFor();
    await page.locator("p.notes", { hasText: "Started with the autumn mailing" }).waitFor();
  });

  test("show the results of each value of a property, as exploratory and without a verdict", async () => {
    const test_id = await twoVariants("segmented");
    const events = ["ann", "bob", "cyd"].map((user_id, index) => ({
      event_type: "visit",
      user_id,
      properties: { country: index === 2 ? "fr" : "de" },
    }));
    await send(`${site.url}/apiv1/events/batch`, "POST", events);
    for (const { user_id } of events)
      await send(`${site.url}/apiv1/ab-tests/${test_id}/assign`, "POST", { user_id });
    const page = await site.visited(`#/experiments/${test_id}`);
    const section = page.getByRole("region", { name: "signup by segment" });
    await section.getByText("exploratory", { exact: true }).waitFor();
    await section.getByLabel("Property").fill("country");
    await page.keyboard.press("Enter");
    const table = section.getByRole("table", { name: "signup by country" });
    await expect.poll(() => table.getByRole("rowheader").allTextContents()).toEqual(["de", "de", "fr", "fr"]);
    expect(await table.getByText(/p-value/).count()).toBe(0);
    expect(page.url()).toContain("segment=country");
    await section.getByText("3 users had a value of country when they were assigned.").waitFor();
    await section.getByLabel("Property").fill("shoe size");
    await page.keyboard.press("Enter");
    await section.getByText(/is a property that no user of this test had/).waitFor();
  });

  test("show how many of the planned users they have, and when they will have all", async () => {
    const { test_id } = await send<{ test_id: number }>(`${site.url}/apiv1/ab-tests`, "POST", {
      test_name: "planned",
      variants: [{ variant_name: "red" }, { variant_name: "blue" }],
      planned_users: 1_000,
    });
    const users = Array.from({ length: 100 }, (_, index) => ({
      user_id: `${index}`,
      variant: index % 2 === 0 ? "red" : "blue",
    }));
    await send(`${site.url}/apiv1/ab-tests/${test_id}/assignments`, "POST", users);
    const page = await site.visited(`#/experiments/${test_id}`);
    const progress = page.getByRole("region", { name: "Progress" });
    await progress
      .getByText(/100 of 1,000.planned users\. At the recent pace of .* it is complete about/)
      .waitFor();
    expect(await progress.getByRole("progressbar").getAttribute("value")).toBe("100");
  });

  test("can be changed while they run: traffic, weights, testers and metrics", async () => {
    const test_id = await twoVariants("changed");
    const url = `${site.url}/apiv1/ab-tests/${test_id}`;
    const page = await site.visited(`#/experiments/${test_id}`);
    const settings = page.getByRole("region", { name: "Settings" });
    await settings.getByText("Change traffic and weights").click();
    const traffic = settings.getByRole("form", { name: "Traffic and weights" });
    await traffic.getByLabel("Traffic, in %").fill("250");
    await traffic.getByRole("button").click();
    await traffic.getByText(/^This field must be from 0.% to 100.%/).waitFor();
    await traffic.getByLabel("Traffic, in %").fill("50");
    await traffic.getByLabel("Weight of blue").fill("3");
    await traffic.getByText(/a share of 75\.0.%/).waitFor();
    await traffic.getByRole("button").click();
    await traffic.getByText("Saved.").waitFor();
    await settings.getByText("Show a variant to a tester").click();
    const testers = settings.getByRole("form", { name: "Testers" });
    await testers.getByLabel("User id of the tester").fill("ada");
    await testers.getByLabel("Variant of the tester").selectOption("blue");
    await testers.getByRole("button").click();
    await testers.getByText("Saved.").waitFor();
    await settings.locator("summary", { hasText: "Add a metric" }).click();
    const metrics = settings.getByRole("form", { name: "Add a metric" });
    await metrics.getByLabel("Name of metric 1").fill("refunds");
    await metrics.getByLabel("Direction").selectOption("less is better");
    await metrics.getByRole("button").click();
    await page.getByRole("button", { name: "refunds" }).waitFor();
    const changed = await send<{ variants: { weight: number }[]; metrics: { metric_name: string }[] }>(
      url,
      "GET",
    );
    expect(changed).toMatchObject({ traffic: 0.5, variants: [{ weight: 1 }, { weight: 3 }] });
    expect(changed.metrics.map(({ metric_name }) => metric_name)).toEqual(["signup", "refunds"]);
    expect(await send(`${url}/assign`, "POST", { user_id: "ada" })).toMatchObject({ variant: "blue" });
  });

  test("are deleted only after a question", async () => {
    const test_id = await twoVariants("unwanted");
    const page = await site.visited(`#/experiments/${test_id}`);
    await page.getByRole("button", { name: "Delete …" }).click();
    const dialog = page.getByRole("dialog", { name: "Delete unwanted?" });
    await dialog.getByRole("button", { name: "Do not delete" }).click();
    await page.getByRole("button", { name: "Delete …" }).click();
    await dialog.getByRole("button", { name: "Delete the experiment" }).click();
    await page.getByRole("heading", { name: "Experiments", level: 1 }).waitFor();
    expect((await fetch(`${site.url}/apiv1/ab-tests/${test_id}`)).status).toBe(404);
  });

  test("are not stopped when the dialog is cancelled", async () => {
    const page = await site.visited(`#/experiments/${ids.early}`);
    await page.getByRole("button", { name: "Stop the experiment …" }).click();
    await page.getByRole("button", { name: "Do not stop" }).click();
    await expect.poll(() => page.getByRole("dialog").count()).toBe(0);
    const { status } = await send<{ status: string }>(`${site.url}/apiv1/ab-tests/${ids.early}`, "GET");
    expect(status).toBe("running");
  });
});
