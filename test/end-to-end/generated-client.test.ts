import { execFile } from "node:child_process";
import { symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { testFolder, testServer } from "./servers.ts";

const run = promisify(execFile);
const modules = fileURLToPath(new URL("../../node_modules", import.meta.url));

/** Calls of a client in TypeScript that was generated from the OpenAPI document. */
const PROGRAM = `
import * as api from "./client.ts";

export async function main(baseUrl: string) {
  const at = { baseUrl };
  const event = await api.trackEvent({ event_type: "button_click", user_id: "ann", message_id: "m-1" }, at);
  if (event.status !== 201) throw new Error("not stored");
  const id: number = event.data.id;

  const created = await api.createExperiment(
    { test_name: "colour", variants: [{ variant_name: "red" }, { variant_name: "blue" }], metrics: [{ metric_name: "signup", kind: "conversion" }] },
    at,
  );
  if (created.status !== 201) throw new Error("not created");
  const { test_id } = created.data;

  const assigned = await api.assignVariant(test_id, { user_id: "ann" }, at);
  if (assigned.status !== 201) throw new Error("not assigned");
  const variant: string | null = assigned.data.variant;

  const tracked = await api.trackMetric(test_id, { user_id: "ann", metric_name: "signup" }, at);
  if (tracked.status !== 201) throw new Error("not tracked");

  const results = await api.getResults(test_id, {}, at);
  if (results.status !== 200) throw new Error("no results");
  const users: number[] = results.data.results.map((arm) => arm.users);

  const trend = await api.getTrend({ eventType: "button_click", interval: "day", measure: "users" }, at);
  if (trend.status !== 200) throw new Error("no trend");

  const refused = await api.trackEvent({ event_type: " " }, at);
  if (refused.status !== 400) throw new Error("not refused");
  const paths: string[] = refused.data.errors.map((fault) => fault.path);

  return { id, variant, users, total: trend.data.series[0]?.total, code: refused.data.code, paths };
}

export const mistakes = () => {
  // @ts-expect-error: an event needs a type
  api.trackEvent({ user_id: "ann" });
  // @ts-expect-error: a field that no event has
  api.trackEvent({ event_type: "click", event_typ: "click" });
  // @ts-expect-error: the kind of a metric is one of four
  api.createExperiment({ test_name: "a", variants: [], metrics: [{ metric_name: "m", kind: "rate" }] });
  // @ts-expect-error: the id of an experiment is a number
  api.getResults("colour", {});
};
`;

const OPTIONS = {
  compilerOptions: {
    strict: true,
    noEmit: true,
    target: "es2023",
    lib: ["es2023", "dom", "dom.iterable"],
    module: "nodenext",
    types: [],
    skipLibCheck: true,
    allowImportingTsExtensions: true,
  },
  files: ["program.ts"],
};

test("a client generated from the OpenAPI document type-checks, refuses mistakes, and calls the server", async ({
  onTestFinished,
}) => {
  const folder = await testFolder(onTestFinished);
  const { url } = await testServer(onTestFinished, folder);
  const here = { cwd: folder };
  await symlink(modules, join(folder, "node_modules"));
  await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  await writeFile(join(folder, "program.ts"), PROGRAM);
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(OPTIONS));
  const document = await fetch(new URL("/apiv1/openapi.json", url));
  await writeFile(join(folder, "openapi.json"), await document.text());

  await run(join(modules, ".bin/oazapfts"), ["openapi.json", "client.ts"], here);
  const { stdout } = await run(join(modules, ".bin/tsc"), ["--project", "."], here).catch((error) => error);
  expect(stdout).toBe("");

  const outfile = join(folder, "program.mjs");
  await build({ entryPoints: [join(folder, "program.ts")], bundle: true, format: "esm", outfile });
  const { main } = await import(pathToFileURL(outfile).href);
  const { variant, users, ...rest } = await main(url);
  expect(["red", "blue"]).toContain(variant);
  expect(users).toEqual(variant === "red" ? [1, 0] : [0, 1]);
  expect(rest).toEqual({ id: 1, total: 1, code: "invalid", paths: ["event_type"] });
});
