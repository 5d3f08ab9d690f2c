import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, inject, test } from "vitest";
import { freePort, spawnNode, stopChild } from "../bench/processes.ts";
import { ask, eventually, post } from "./client.ts";
import { copyProject, databaseIn, testFolder } from "./servers.ts";

const read = (path: string): Promise<string> => readFile(join(inject("project"), path), "utf8");

/** The programs of a page, with the heading above each. */
const programsOf = (page: string) =>
  [...page.matchAll(/^#+ (.+)\n(?:(?!^#)[\s\S])*?^```js\n([\s\S]*?)^```$/gm)].map(
    ([, title = "", program = ""]) => ({
      title,
      program,
    }),
  );

const recipes = programsOf(await read("docs/mounting.md")).filter(({ program }) =>
  program.includes("import"),
);
// The README leaves out the reader's own handler.
const readme = programsOf(await read("README.md"))
  .filter(({ program }) => program.includes("mountAnalytics"))
  .map(({ program }) => ({
    title: "README",
    program: `const ownAnswer = (request, response) => response.end("own " + request.url);\n${program}`,
  }));

// All ports are reserved at once, so that no two programs get the same one.
const programs = await Promise.all(
  [...recipes, ...readme].map(async (recipe) => ({ ...recipe, port: String(await freePort()) })),
);

test("docs/mounting.md has a recipe for Node, for each of the three frameworks, and for requests without one", () => {
  expect(recipes.map(({ title }) => title)).toEqual([
    "node:http",
    "Express 5",
    "Fastify 5",
    "Hono",
    "Request and Response",
  ]);
  expect(readme).toHaveLength(1);
});

describe.concurrent("the recipe for", () => {
  test.for(programs)(
    "$title serves the API, the dashboard and the paths of the host server",
    async ({ program: text, port }, { onTestFinished }) => {
      const folder = await testFolder(onTestFinished);
      const project = await copyProject(folder);
      const program = join(project, "program.mjs");
      await writeFile(program, text.replace("3000", port));
      const child = spawnNode({
        args: [program],
        cwd: folder,
        env: { ANALYTICS_DATABASE: databaseIn(folder), ANALYTICS_LOG_LEVEL: "error" },
      });
      onTestFinished(() => stopChild(child));
      let stderr = "";
      child.stderr?.on("data", (chunk: Buffer) => {
        stderr += chunk;
      });

      const url = `http://127.0.0.1:${port}`;
      const health = await eventually(() => ask(url, { path: "/health" }));
      expect(JSON.parse(health.body)).toMatchObject({ status: "ok" });
      const large = { event_type: "a", properties: { text: "x".repeat(50_000) } };
      expect((await post(url, "/apiv1/events", large)).status).toBe(201);
      expect((await post(url, "/apiv1/events/batch", Array(50).fill(large))).status).toBe(201);
      expect((await post(url, "/apiv1/nothing", {})).status).toBe(404);
      const preflight = { origin: "https://shop.example", "access-control-request-method": "POST" };
      expect(await ask(url, { method: "OPTIONS", path: "/apiv1/events", headers: preflight })).toMatchObject({
        status: 204,
        headers: { "access-control-allow-origin": "*" },
      });
      const exported = await ask(url, { path: "/apiv1/events/export" });
      expect(exported.body.trimEnd().split("\n")).toHaveLength(51);

      const dashboard = await ask(url, { path: "/analytics" });
      expect(dashboard.body).toContain('src="/analytics/dashboard.js"');
      for (const path of ["/analytics/", "/analytics/dashboard.js", "/analytics/icon.svg", "/client.js"]) {
        expect((await ask(url, { path })).status, path).toBe(200);
      }
      for (const path of ["/", "/healthy", "/analytics/other"]) {
        expect((await ask(url, { path })).body).toBe(`own ${path}`);
      }
      expect((await post(url, "/own", { a: 1 })).body).toBe("own /own");
      expect(stderr).toBe("Analytics Server is open to everybody on this machine: no keys are set.\n");
    },
  );
});
