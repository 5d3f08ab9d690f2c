import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { openFolder } from "../end-to-end/servers.ts";
import { plainVariables } from "./nodes.ts";

const run = promisify(execFile);
const project = inject("project");

/** Each package, and what of the project's own modules an application with it has too. */
const PACKAGES = { "analytics-server": "dist", "@analytics-server/client": "dist/client" };
const BROUGHT = ["@openfeature", "better-sqlite3", "bindings", "file-uri-to-path", "@types"];

let app = "";
let remove = async () => {};

/** Unpacks the tarball that would be published. */
async function install(name: string, folder: string): Promise<void> {
  const place = join(app, "node_modules", name);
  const packed = join(app, "packed", name);
  await mkdir(packed, { recursive: true });
  await run("npm", ["pack", join(project, folder), "--pack-destination", packed], { env: plainVariables() });
  const [tarball = ""] = await readdir(packed);
  await mkdir(place, { recursive: true });
  await run("tar", ["-xzf", join(packed, tarball), "--strip-components=1", "-C", place]);
}

beforeAll(async () => {
  ({ folder: app, remove } = await openFolder());
  await writeFile(join(app, "package.json"), '{"type":"module"}');
  for (const [name, folder] of Object.entries(PACKAGES)) await install(name, folder);
  for (const name of BROUGHT) {
    await mkdir(dirname(join(app, "node_modules", name)), { recursive: true });
    await symlink(join(project, "node_modules", name), join(app, "node_modules", name));
  }
});
afterAll(() => remove());

interface Manifest {
  readonly exports: Readonly<Record<string, object>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
}

async function manifestOf(name: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(app, "node_modules", name, "package.json"), "utf8"));
}

/** The names under which the entry points of a package are imported. */
const entriesOf = async (name: string): Promise<string[]> =>
  Object.keys((await manifestOf(name)).exports).map((entry) => name + entry.slice(1));

test.each(Object.keys(PACKAGES))("every entry point of %s can be imported, and has types", async (name) => {
  const entries = await entriesOf(name);
  const imports = entries.map((entry, n) => `import * as entry${n} from ${JSON.stringify(entry)};`);
  const names = entries.map((_, n) => `Object.keys(entry${n}).length > 0`);
  const file = join(app, "entries.ts");
  await writeFile(file, `${imports.join("\n")}\nexport const found: boolean[] = [${names}];\nvoid found;\n`);
  const checked = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2023", "--skipLibCheck"];
  await run(join(project, "node_modules/.bin/tsc"), [...checked, "--types", "node", file], { cwd: app });
  const program = `${imports.join("\n")} console.log(JSON.stringify([${names}]));`;
  const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", program], { cwd: app });
  expect(JSON.parse(stdout)).toEqual(entries.map(() => true));
});

test("a start reads no library and makes no format that only some requests need; those requests find them", async () => {
  const program = `
    import { createRequire } from "node:module";
    import { basename } from "node:path";

    const formats = [];
    for (const name of ["NumberFormat", "DateTimeFormat", "ListFormat"]) {
      const construct = (format, given) => (formats.push(name), new format(...given));
      Intl[name] = new Proxy(Intl[name], { construct });
    }
    Number.prototype.toLocaleString = () => void formats.push("toLocaleString");
    const libraries = () =>
      Object.keys(createRequire(import.meta.url).cache).filter((file) => file.endsWith(".cjs")).map((file) => basename(file)).sort();

    const { mountAnalytics } = await import("analytics-server");
    const { fetch, close } = await mountAnalytics({ ANALYTICS_DATABASE: ":memory:", ANALYTICS_ADMIN_KEYS: "a-key-of-this-test" });
    const atStart = [...libraries(), ...formats];
    const headers = { authorization: "Bearer a-key-of-this-test", "content-type": "application/json" };
    const plan = { kind: "mean", baseline: 10, standard_deviation: 5, effect: 0.1 };
    const answers = [
      await fetch(new Request("http://localhost/apiv1/events/trend?timezone=Europe/Berlin", { headers })),
      await fetch(new Request("http://localhost/apiv1/sample-size", { method: "POST", headers, body: JSON.stringify(plan) })),
    ];
    const statuses = answers.map(({ status }) => status);
    await close();
    console.log(JSON.stringify({ atStart, statuses, atEnd: libraries() }));`;
  const file = join(app, "start.mjs");
  await writeFile(file, program);
  const { stdout } = await run(process.execPath, [file], { cwd: app });
  expect(JSON.parse(stdout.trim().split("\n").at(-1) ?? "")).toEqual({
    atStart: [],
    statuses: [200, 200],
    atEnd: ["logger.cjs", "math-base-special-erfcinv.cjs", "temporal-polyfill.cjs"],
  });
});

test("the OpenFeature providers are entry points, and their SDKs are optional peers", async () => {
  for (const name of Object.keys(PACKAGES)) {
    const entries = await entriesOf(name);
    expect(entries).toContain(`${name}/openfeature-server`);
    expect(entries).toContain(`${name}/openfeature-web`);
    expect(await manifestOf(name)).toMatchObject({
      peerDependencies: { "@openfeature/server-sdk": "^1.6.0", "@openfeature/web-sdk": "^1.10.0" },
      peerDependenciesMeta: {
        "@openfeature/server-sdk": { optional: true },
        "@openfeature/web-sdk": { optional: true },
      },
    });
  }
});

test("an application with our provider compiles, and evaluates a flag with the real SDK", async () => {
  const program = `
    import { OpenFeature } from "@openfeature/server-sdk";
    import { AnalyticsProvider } from "@analytics-server/client/openfeature-server";
    await OpenFeature.setProviderAndWait(new AnalyticsProvider({ url: "http://127.0.0.1:9", timeout: 100 }));
    const details = await OpenFeature.getClient().getStringDetails("colour", "red", { targetingKey: "ann" });
    console.log(details.value, details.errorCode);`;
  const file = join(app, "program.ts");
  await writeFile(file, program);
  const checked = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2023", "--skipLibCheck"];
  await run(join(project, "node_modules/.bin/tsc"), [...checked, "--types", "node", file], { cwd: app });
  const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", program], { cwd: app });
  expect(stdout.trim()).toBe("red GENERAL");
});
