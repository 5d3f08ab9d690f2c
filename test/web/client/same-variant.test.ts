import { GrowthBook } from "@growthbook/growthbook";
import { OFREPProvider } from "@openfeature/ofrep-provider";
import { OFREPWebProvider } from "@openfeature/ofrep-web-provider";
import { OpenFeature, type Provider } from "@openfeature/server-sdk";
import { OpenFeature as WebOpenFeature, type Provider as WebProvider } from "@openfeature/web-sdk";
import { PostHog } from "posthog-node";
import { expect, onTestFinished, test, vi } from "vitest";
import { createClient } from "../../../web/client/node.ts";
import { AnalyticsProvider } from "../../../web/client/openfeature/openfeature-server.ts";
import { AnalyticsProvider as AnalyticsWebProvider } from "../../../web/client/openfeature/openfeature-web.ts";
import {
  type CompatibleServer,
  enrolledUsers,
  KEYED,
  READ_KEY,
  serveCompatible,
  WRITE_KEY,
} from "../../handlers/compatible/serve.ts";
import { withColours } from "../../world.ts";

const NAME = "homepage_button_color";
const USERS = ["ann", "bob", "cyd", "dan", "eve", "fay", "gus", "hal", "ida", "jon"];

/** Asks for a user's variant, and resolves once the user is enrolled where this way enrols. */
type Way = (user: string) => Promise<string>;

type Server = Pick<CompatibleServer, "send" | "url">;

async function assignment(
  { send }: Server,
  user: string,
): Promise<{ variant: string; assigned_at: string | null }> {
  const path = `/apiv1/ab-tests/1/assignment?user_id=${user}`;
  const { body } = await send({ path, headers: { "x-api-key": READ_KEY } });
  return body as { variant: string; assigned_at: string | null };
}

async function answerOf({ send }: Server, path: string, body: object): Promise<unknown> {
  const answer = await send({ method: "POST", path, body, headers: { "x-api-key": WRITE_KEY } });
  return answer.body;
}

async function throughServerSdk(provider: Provider, user: string): Promise<string> {
  await OpenFeature.setProviderAndWait(user, provider);
  return OpenFeature.getClient(user).getStringValue(NAME, "none", { targetingKey: user });
}

async function throughWebSdk(provider: WebProvider, user: string): Promise<string> {
  await WebOpenFeature.setContext(user, { targetingKey: user });
  await WebOpenFeature.setProviderAndWait(user, provider);
  return WebOpenFeature.getClient(user).getStringValue(NAME, "none");
}

async function throughPosthog({ url }: Server, user: string): Promise<string> {
  const client = new PostHog(WRITE_KEY, { host: url });
  const flag = await client.getFeatureFlag(NAME, user);
  // Sends the exposure.
  await client.shutdown();
  return String(flag);
}

async function throughGrowthbook(server: Server, user: string): Promise<string> {
  const exposures: Promise<unknown>[] = [];
  const client = new GrowthBook({
    apiHost: server.url,
    clientKey: WRITE_KEY,
    remoteEval: true,
    attributes: { id: user },
    trackingCallback: ({ key }, { hashValue }) => {
      const context = { targetingKey: hashValue };
      exposures.push(answerOf(server, `/ofrep/v1/evaluate/flags/${key}`, { context }));
    },
  });
  await client.init({ skipCache: true });
  const value = client.getFeatureValue(NAME, "none");
  await Promise.all(exposures);
  client.destroy();
  return value;
}

/** A browser of the user's own, as far as the provider uses one. */
function stubBrowser(): void {
  vi.stubGlobal("localStorage", {});
  vi.stubGlobal("navigator", {});
  vi.stubGlobal("addEventListener", () => undefined);
}

async function throughOwnWebProvider(server: Server, user: string): Promise<string> {
  stubBrowser();
  const { url } = server;
  const value = await throughWebSdk(new AnalyticsWebProvider({ url, key: WRITE_KEY, timeout: 30_000 }), user);
  await expect.poll(async () => (await assignment(server, user)).assigned_at).not.toBeNull();
  return value;
}

function waysOf(server: Server): Record<string, Way> {
  const { url } = server;
  const headers = { "X-API-Key": WRITE_KEY };
  const client = createClient({ url, key: WRITE_KEY, timeout: 30_000 });
  const provider = new AnalyticsProvider({ url, key: WRITE_KEY, timeout: 30_000 });
  const list = async (user: string, enrol: boolean) =>
    (await answerOf(server, "/apiv1/assignments", { user_id: user, enrol })) as {
      assignments: [{ variant: string }];
    };
  return {
    "POST assign": async (user) =>
      ((await answerOf(server, "/apiv1/ab-tests/1/assign", { user_id: user })) as { variant: string })
        .variant,
    "POST assignments": async (user) => (await list(user, true)).assignments[0].variant,
    "POST assignments without enrolling": async (user) => (await list(user, false)).assignments[0].variant,
    "GET assignment": async (user) => (await assignment(server, user)).variant,
    "our client": async (user) => String(await client.forUser(user).assign(NAME)),
    "our OpenFeature provider": (user) => throughServerSdk(provider, user),
    "our OpenFeature provider for pages": (user) => throughOwnWebProvider(server, user),
    OFREP: (user) => throughServerSdk(new OFREPProvider({ baseUrl: url, headers }), user),
    "OFREP for pages": (user) =>
      throughWebSdk(
        new OFREPWebProvider({ baseUrl: url, pollInterval: -1, headers: [["X-API-Key", WRITE_KEY]] }),
        user,
      ),
    PostHog: (user) => throughPosthog(server, user),
    GrowthBook: (user) => throughGrowthbook(server, user),
  };
}

test("a user has the same variant through every way of asking, and is enrolled once", {
  timeout: 60_000,
}, async () => {
  const server = await serveCompatible(KEYED);
  onTestFinished(async () => {
    await Promise.all([OpenFeature.clearProviders(), WebOpenFeature.clearProviders()]);
    vi.unstubAllGlobals();
  });
  await withColours(server.world);
  const ways = Object.entries(waysOf(server));
  const seen = new Set<string>();
  for (const [index, user] of USERS.entries()) {
    // Each way is the first for one of the users.
    const ordered = [...ways.slice(index), ...ways.slice(0, index)];
    const answers: [string, string][] = [];
    const enrolledAt = new Set<string>();
    for (const [name, way] of ordered) {
      answers.push([name, await way(user)]);
      server.world.advance(1_000);
      const { assigned_at } = await assignment(server, user);
      if (assigned_at !== null) enrolledAt.add(assigned_at);
    }
    const { variant } = await assignment(server, user);
    expect(answers).toEqual(ordered.map(([name]) => [name, variant]));
    expect([...enrolledAt]).toHaveLength(1);
    seen.add(variant);
  }
  expect(await enrolledUsers(server)).toBe(USERS.length);
  expect([...seen].sort()).toEqual(["blue", "red"]);
});
