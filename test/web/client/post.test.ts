import { afterEach, expect, test, vi } from "vitest";
import { idOf } from "../../../web/client/limits.ts";
import { addresses, createPost, isFinal } from "../../../web/client/post.ts";
import { createReport } from "../../../web/client/reports.ts";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

test.each([
  ["https://a.example.com", undefined, "https://a.example.com/apiv1/events"],
  ["https://a.example.com/client.js", undefined, "https://a.example.com/apiv1/events"],
  ["http://127.0.0.1:20000/tools/", "a&b", "http://127.0.0.1:20000/tools/apiv1/events?key=a%26b"],
])("the address of an endpoint of %s with the key %j", (url, key, address) => {
  expect(addresses(url, key)?.("events")).toBe(address);
});

test.each<[unknown, string?]>([
  [undefined],
  [null],
  [""],
  ["nonsense"],
  ["/analytics/"],
  ["127.0.0.1:20000"],
  ["localhost:20000"],
  ["http://"],
  ["htp://analytics.example.com"],
  ["file:///home/ann/page.html"],
  [5],
  ["https://a.example.com", "\ud800"],
])("the url %j with the key %j is recognised as unusable", (url, key) => {
  expect(addresses(url as string, key)).toBe(undefined);
});

test.each<[unknown, string | undefined]>([
  ["u1", "u1"],
  [42, "42"],
  [0, "0"],
  ["x".repeat(200), "x".repeat(200)],
  ["😀".repeat(200), "😀".repeat(200)],
  ["x".repeat(201), undefined],
  ["", undefined],
  [" \t", undefined],
  // As a double it is the id of many users.
  [2 ** 53, undefined],
  [Number.NaN, undefined],
  [null, undefined],
  [undefined, undefined],
  [{}, undefined],
  [true, undefined],
])("the id %j is taken as %j", (id, taken) => {
  expect(idOf(id)).toBe(taken);
});

const answers = (response: Response | Error) => {
  vi.stubGlobal("fetch", async () => {
    if (response instanceof Error) throw response;
    return response;
  });
  return createPost((path) => `https://a.example.com/${path}`)("events/batch", "{}");
};

test("a post gives the server's answer, its text and the response", async () => {
  const response = new Response('{"success":true}', { status: 201 });
  expect(await answers(response)).toEqual([{ success: true }, '{"success":true}', response]);
});

test.each(["", "null", "<p>Welcome</p>", '{"success":'])(
  "a post that is answered with %j has no answer",
  async (text) => {
    const response = new Response(text, { status: 200 });
    expect(await answers(response)).toEqual([{}, text, response]);
  },
);

test("a post that fails has neither an answer nor a response", async () => {
  expect(await answers(new TypeError("Failed to fetch"))).toEqual([{}, "", undefined]);
});

const CODES =
  "invalid unauthorized forbidden not_found conflict too_large unsupported_media_type method_not_allowed";
const PASSING = "timeout rate_limited internal unavailable";

test("of the server's refusals those are final that this client can meet and that no waiting fixes", () => {
  const codes = `${CODES} ${PASSING}`.split(" ");
  const final = codes.filter((code) => isFinal({ type: "about:blank", code }));
  expect(final).toEqual(["invalid", "unauthorized", "forbidden", "not_found", "conflict", "too_large"]);
  expect(isFinal({ code: "unauthorized" })).toBe(false);
  expect(isFinal({ type: "about:blank" })).toBe(false);
});

test("the console shows the first problem of each kind", () => {
  const warn = vi.spyOn(console, "warn").mockReturnValue();
  const report = createReport();
  report("no option userId");
  report("no option userId");
  report("no option keys");
  report("a refusal", 401);
  report("another refusal", 401);
  report("another kind", 400);
  expect(warn.mock.calls.map(([, problem]) => problem)).toEqual([
    "no option userId",
    "no option keys",
    "a refusal",
    "another kind",
  ]);
});
