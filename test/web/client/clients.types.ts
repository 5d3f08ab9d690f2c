// Checked by `npm run types` alone: what compiles here, and what must not.
import { createClient as createBrowserClient } from "../../../web/client/client.ts";
import type * as browser from "../../../web/client/declarations/client.d.ts";
import type * as node from "../../../web/client/declarations/node.d.ts";
import { createClient as createNodeClient } from "../../../web/client/node.ts";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

// What is declared to those who import the package is what the source says.
export const declared: [
  Same<Parameters<typeof createBrowserClient>, Parameters<typeof browser.createClient>>,
  Same<ReturnType<typeof createBrowserClient>, ReturnType<typeof browser.createClient>>,
  Same<Parameters<typeof createNodeClient>, Parameters<typeof node.createClient>>,
  Same<ReturnType<typeof createNodeClient>, ReturnType<typeof node.createClient>>,
] = [true, true, true, true];

export async function compiles(): Promise<void> {
  const analytics = createBrowserClient();
  createBrowserClient({
    url: "https://analytics.example.com",
    key: "k",
    user_id: "u",
    timeout: 300,
    onRefused: String,
  });
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
  const taken: boolean = await backend.flush(1_000);
  backend.forUser("user123", "session456").track(String(taken));
}

export async function doesNotCompile(): Promise<void> {
  const analytics = createBrowserClient();
  // @ts-expect-error An event has a type.
  analytics.track();
  // @ts-expect-error The type is a text.
  analytics.track(1);
  // @ts-expect-error Properties have names.
  analytics.track("click", "submit");
  // @ts-expect-error A function is no JSON.
  analytics.track("click", { handler: () => 1 });
  // @ts-expect-error Neither is a bigint.
  analytics.track("click", { n: 1n });
  // @ts-expect-error A value is for a metric.
  analytics.trackMetric("colour");
  // @ts-expect-error A value is a number.
  analytics.trackMetric("colour", "revenue", "9.5");
  // @ts-expect-error There may be no variant.
  const colour: string = await analytics.assign("colour");
  // @ts-expect-error The option is called `user_id`.
  createBrowserClient({ userId: colour });
  // @ts-expect-error A backend says where the server is.
  createNodeClient({});
  // @ts-expect-error A backend acts on behalf of a user.
  createNodeClient({ url: "https://analytics.example.com" }).track("click");
}
