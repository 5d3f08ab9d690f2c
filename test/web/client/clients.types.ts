// Only `npm run types` checks this file: some calls must compile, and others must not.
import { createClient as createBrowserClient } from "../../../web/client/client.ts";
import type * as browser from "../../../web/client/declarations/client.d.ts";
import type * as node from "../../../web/client/declarations/node.d.ts";
import type * as openFeatureServer from "../../../web/client/declarations/openfeature-server.d.ts";
import type * as openFeatureWeb from "../../../web/client/declarations/openfeature-web.d.ts";
import type * as visitor from "../../../web/client/declarations/visitor.d.ts";
import { createClient as createNodeClient } from "../../../web/client/node.ts";
import { AnalyticsProvider as ServerProvider } from "../../../web/client/openfeature/openfeature-server.ts";
import { AnalyticsProvider as WebProvider } from "../../../web/client/openfeature/openfeature-web.ts";
import type { createClient as createVisitorClient } from "../../../web/client/visitor.ts";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

// The declarations of the package agree with the source.
export const declared: [
  Same<Parameters<typeof createBrowserClient>, Parameters<typeof browser.createClient>>,
  Same<ReturnType<typeof createBrowserClient>, ReturnType<typeof browser.createClient>>,
  Same<Parameters<typeof createVisitorClient>, Parameters<typeof visitor.createClient>>,
  Same<ReturnType<typeof createVisitorClient>, ReturnType<typeof visitor.createClient>>,
  Same<Parameters<typeof createNodeClient>, Parameters<typeof node.createClient>>,
  Same<ReturnType<typeof createNodeClient>, ReturnType<typeof node.createClient>>,
] = [true, true, true, true, true, true];

// A class with private fields is another type than its declaration, but has to be usable as such.
export const providers: [openFeatureServer.AnalyticsProvider, openFeatureWeb.AnalyticsProvider] = [
  new ServerProvider({ url: "https://analytics.example.com", key: "k", timeout: 300 }),
  new WebProvider({ url: "https://analytics.example.com", onRefused: (problem) => String(problem) }),
];

export async function compiles(): Promise<void> {
  const analytics = createBrowserClient();
  createBrowserClient({
    url: "https://analytics.example.com",
    key: "k",
    user_id: "u",
    timeout: 300,
    onRefused: (problem, status) => String([problem, status]),
  });
  createBrowserClient({ user_id: 42 });
  analytics.track("click");
  analytics.track("click", {
    name: "submit",
    tags: ["a", 1, null],
    nested: { deep: true },
    missing: undefined,
  });
  analytics.trackMetric("colour", "signup");
  analytics.trackMetric(1, "revenue", 9.5);
  const colour: string = (await analytics.assign("colour")) ?? "red";
  const all: Record<string, string | null> = await analytics.assignments();
  const backend = createNodeClient({ url: "https://analytics.example.com" });
  backend.forUser("user123").track(colour, { known: Object.keys(all).length });
  backend.forUser(42, 7).track("click");
  const taken: boolean = await backend.flush(1_000);
  backend.forUser("user123", "session456").track(String(taken));
}

export async function doesNotCompile(): Promise<void> {
  const analytics = createBrowserClient();
  // @ts-expect-error An event type is required.
  analytics.track();
  // @ts-expect-error An event type is a string.
  analytics.track(1);
  // @ts-expect-error Properties are an object.
  analytics.track("click", "submit");
  // @ts-expect-error A function cannot be written as JSON.
  analytics.track("click", { handler: () => 1 });
  // @ts-expect-error Nor can a bigint.
  analytics.track("click", { n: 1n });
  // @ts-expect-error A metric is required.
  analytics.trackMetric("colour");
  // @ts-expect-error A value is a number.
  analytics.trackMetric("colour", "revenue", "9.5");
  // @ts-expect-error The variant may be null.
  const colour: string = await analytics.assign("colour");
  // @ts-expect-error The option is called `user_id`.
  createBrowserClient({ userId: colour });
  // @ts-expect-error A backend has to give the url.
  createNodeClient({});
  // @ts-expect-error A backend tracks for a user.
  createNodeClient({ url: "https://analytics.example.com" }).track("click");
}
