import { mkdir, readFile, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, inject } from "vitest";
import { ask, post } from "./client.ts";
import { testFolder, testServer } from "./servers.ts";

const WRITE_KEY = "write-key-0123456789";
const READ_KEY = "read-key-0123456789";
const ADMIN_KEY = "admin-key-0123456789";
const ADMIN = { authorization: `Bearer ${ADMIN_KEY}` };

const KEYS = {
  ANALYTICS_WRITE_KEYS: WRITE_KEY,
  ANALYTICS_READ_KEYS: READ_KEY,
  ANALYTICS_ADMIN_KEYS: ADMIN_KEY,
};

// Packages of an application that the programs use.
const PACKAGES = [
  "@hono/node-server",
  "@modelcontextprotocol/client",
  "@openfeature/core",
  "@openfeature/server-sdk",
  "express",
  "fastify",
  "hono",
  "react",
  "react-dom",
  "vue",
];

type Finish = (act: () => Promise<void>) => void;

interface Stored {
  readonly event_type: string;
  readonly user_id: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

interface Counts {
  readonly users: number;
  readonly signups: number;
}

/** A server with keys and the A/B test of the quick starts, and an application with the client installed. */
export async function shop(onTestFinished: Finish) {
  const folder = await testFolder(onTestFinished);
  const { url } = await testServer(onTestFinished, folder, KEYS);
  const variants = [{ variant_name: "red" }, { variant_name: "blue" }];
  await post(url, "/apiv1/ab-tests", { test_name: "homepage_button_color", variants }, ADMIN);

  const modules = join(folder, "node_modules");
  const link = async (name: string, target: string): Promise<void> => {
    await mkdir(dirname(join(modules, name)), { recursive: true });
    await symlink(join(inject("project"), target), join(modules, name));
  };
  await link("@analytics-server/client", "dist/client");
  await link("analytics-server", "dist");
  for (const name of PACKAGES) await link(name, join("node_modules", name));

  async function counts(): Promise<Counts> {
    const { body } = await ask(url, { path: "/apiv1/ab-tests/1/results", headers: ADMIN });
    const { results } = JSON.parse(body) as { results: { users: number; metric_count: number }[] };
    return results.reduce(
      (sum, { users, metric_count }) => ({ users: sum.users + users, signups: sum.signups + metric_count }),
      { users: 0, signups: 0 },
    );
  }

  /** A program of a document with the address and the keys of this server. */
  const filled = (program: string): string =>
    program
      .replaceAll(/http:\/\/127\.0\.0\.1:20000|https:\/\/analytics\.example\.com/g, url)
      .replaceAll("<write key>", WRITE_KEY)
      .replaceAll("<read key>", READ_KEY)
      .replaceAll("<admin key>", ADMIN_KEY);

  return {
    folder,
    filled,

    /** A quick start for this server, which listens on the port. */
    async program(title: string, port = 3000): Promise<string> {
      return filled((await quickStarts()).get(title) ?? "").replaceAll("3000", String(port));
    },

    /** All stored events, oldest first. */
    async events(): Promise<readonly Stored[]> {
      const { body } = await ask(url, { path: "/apiv1/events?limit=200", headers: ADMIN });
      return JSON.parse(body).events.reverse();
    },

    async variantOf(user: string): Promise<string> {
      const path = `/apiv1/ab-tests/1/assignment?user_id=${user}`;
      return JSON.parse((await ask(url, { path, headers: ADMIN })).body).variant;
    },

    /** Waits until the experiment has these numbers of users and values. */
    async expectCounts(expected: Counts): Promise<void> {
      await expect.poll(counts, { timeout: 30_000 }).toEqual(expected);
    },
  };
}

/** The program of this language below a heading of a document. */
export async function programIn(document: string, title: string, language: string): Promise<string> {
  const text = await readFile(join(inject("project"), document), "utf8");
  const [, section = ""] = text.split(`\n## ${title}\n`);
  const [, program] = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, "m").exec(section) ?? [];
  if (program === undefined) throw new Error(`${document} has no ${language} below ${title}.`);
  return program;
}

/** The programs of docs/quick-starts.md by the heading above each. */
export async function quickStarts(): Promise<ReadonlyMap<string, string>> {
  const page = await readFile(join(inject("project"), "docs/quick-starts.md"), "utf8");
  const programs = page.matchAll(/^## (.+)\n(?:(?!^#)[\s\S])*?^```\w+\n([\s\S]*?)^```$/gm);
  return new Map([...programs].map(([, title = "", program = ""]) => [title, program]));
}
