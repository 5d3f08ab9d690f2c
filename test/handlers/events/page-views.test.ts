import { expect, test } from "vitest";
import { openEdge, type TestEdge } from "../../world.ts";

const CHROME =
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";
const ANDROID =
  "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36";
const IPAD =
  "Mozilla/5.0 (iPad; CPU OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1";
const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";
const TV =
  "Mozilla/5.0 (SMART-TV; Linux; Tizen 8.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/108 TV Safari/537.36";
const HEADLESS = CHROME.replace("Chrome/", "HeadlessChrome/");
const GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";

const PAGE = { origin: "https://shop.example" };
const brands = (...names: string[]) => names.map((name) => `"${name}";v="142"`).join(", ");

async function propertiesOf({ send }: TestEdge): Promise<unknown[]> {
  const { body } = await send({ path: "/apiv1/events?limit=100" });
  const { events } = body as { events: { id: number; properties: unknown }[] };
  return [...events].sort((a, b) => a.id - b.id).map(({ properties }) => properties);
}

test.each<[string, Record<string, string>, object | null]>([
  ["Chrome", { ...PAGE, "user-agent": CHROME }, { browser: "Chrome", os: "Windows", device: "desktop" }],
  ["a phone", { ...PAGE, "user-agent": ANDROID }, { browser: "Chrome", os: "Android", device: "mobile" }],
  ["a tablet", { ...PAGE, "user-agent": IPAD }, { browser: "Safari", os: "iOS", device: "tablet" }],
  ["Firefox", { ...PAGE, "user-agent": FIREFOX }, { browser: "Firefox", os: "Linux", device: "desktop" }],
  ["a television", { ...PAGE, "user-agent": TV }, { browser: "Tizen", os: "Tizen", device: "tv" }],
  [
    "Brave on macOS, which only the client hints say",
    {
      ...PAGE,
      "user-agent": CHROME,
      "sec-ch-ua": brands("Chromium", "Brave", "Not_A Brand"),
      "sec-ch-ua-mobile": "?0",
      "sec-ch-ua-platform": '"macOS"',
    },
    { browser: "Brave", os: "macOS", device: "desktop" },
  ],
  [
    "a phone that only the client hints say",
    { ...PAGE, "user-agent": CHROME, "sec-ch-ua-mobile": "?1", "sec-ch-ua-platform": '"Android"' },
    { browser: "Chrome", os: "Android", device: "mobile" },
  ],
  [
    "a browser without a window",
    { ...PAGE, "user-agent": HEADLESS },
    { browser: "Chrome", os: "Windows", device: "desktop", is_bot: true },
  ],
  ["a crawler", { ...PAGE, "user-agent": GOOGLEBOT }, { browser: "Googlebot", is_bot: true }],
  ["an unknown program in a page", { ...PAGE, "user-agent": "hello" }, { is_bot: true }],
  [
    "a backend that passes on its visitor's browser",
    { "user-agent": FIREFOX },
    { browser: "Firefox", os: "Linux", device: "desktop" },
  ],
  ["a backend", { "user-agent": "node" }, null],
  ["a backend in Python", { "user-agent": "python-requests/2.32" }, null],
  ["a page without a user agent", PAGE, null],
])(
  "a page view from %s is stored with what its headers say, alone and in a batch",
  async (_, headers, facts) => {
    const edge = openEdge();
    const view = { event_type: "page_view", user_id: "ann", properties: { path: "/" } };
    await edge.send({ method: "POST", path: "/apiv1/events", headers, body: view });
    await edge.send({
      method: "POST",
      path: "/apiv1/events/batch",
      headers,
      body: [view, { ...view, user_id: null }],
    });
    expect(await propertiesOf(edge)).toEqual(Array(3).fill({ ...facts, path: "/" }));
  },
);

test("other events get no facts about the browser, and a page view's own properties win", async () => {
  const edge = openEdge();
  const events = [
    { event_type: "click" },
    { event_type: "page_view", properties: { browser: "Mine", is_bot: false } },
    { event_type: "page_view" },
  ];
  const headers = { ...PAGE, "user-agent": CHROME };
  await edge.send({ method: "POST", path: "/apiv1/events/batch", headers, body: events });
  expect(await propertiesOf(edge)).toEqual([
    null,
    { browser: "Mine", os: "Windows", device: "desktop", is_bot: false },
    { browser: "Chrome", os: "Windows", device: "desktop" },
  ]);
});

test.each<[string, object]>([
  ["as many properties as there may be", Object.fromEntries([...Array(255).keys()].map((n) => [`p${n}`, n]))],
  ["as many bytes as there may be", { text: "x".repeat(65_525) }],
])("a page view with %s is stored without facts about the browser", async (_, properties) => {
  const edge = openEdge();
  const headers = { ...PAGE, "user-agent": CHROME };
  const body = [{ event_type: "page_view", properties }];
  expect(await edge.send({ method: "POST", path: "/apiv1/events/batch", headers, body })).toMatchObject({
    status: 201,
  });
  expect(await propertiesOf(edge)).toEqual([properties]);
});

test("headers made to take long are read no further than their first half a kilobyte", async () => {
  const edge = openEdge();
  const headers = { ...PAGE, "user-agent": `${FIREFOX} ${"Chrome ".repeat(10_000)}` };
  await edge.send({ method: "POST", path: "/apiv1/events", headers, body: { event_type: "page_view" } });
  expect(await propertiesOf(edge)).toMatchObject([{ os: "Linux" }]);
});
