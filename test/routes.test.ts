import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { filesBelow } from "../adapters/http/answers/files.ts";
import { openApi, withDescription } from "../adapters/http/answers/openapi.ts";
import { SETTING_NAMES } from "../adapters/settings.ts";
import * as handlers from "../handlers/contract/endpoints.ts";

const read = (name: string): string => readFileSync(new URL(`../${name}`, import.meta.url), "utf8");
const sorted = (names: Iterable<string>): string[] => [...names].sort();

const endpoints = withDescription(handlers.endpoints);
const routes = sorted(endpoints.map(({ method, path }) => `${method} ${path}`));

// The function of the gateway's catch-all route: static files, preflights and refusals.
const CATCH_ALL = "answerOther";

interface Functions {
  readonly functions: Record<
    string,
    { handler: string; events: { httpApi: string | { method: string; path: string } }[] }
  >;
  readonly provider: { readonly environment: Record<string, string> };
}

const { functions, provider } = parse(read("serverless.yml")) as Functions;

test("no two endpoints share a route or a name", () => {
  expect(new Set(routes).size).toBe(endpoints.length);
  expect(new Set(endpoints.map(({ name }) => name)).size).toBe(endpoints.length);
});

test("serverless.yml has one function per endpoint, with its name and route", () => {
  const found = Object.entries(functions)
    .filter(([name]) => name !== CATCH_ALL)
    .flatMap(([name, { events }]) =>
      events.map(
        ({ httpApi }) =>
          `${name} ${typeof httpApi === "string" ? httpApi : `${httpApi.method} ${httpApi.path}`}`,
      ),
    );
  expect(sorted(found)).toEqual(
    sorted(endpoints.map(({ name, method, path }) => `${name} ${method} ${path}`)),
  );
});

test("every function has the handler of its name, and one function takes all other routes", () => {
  for (const [name, { handler }] of Object.entries(functions)) expect(handler).toBe(`dist/lambda.${name}`);
  expect(functions[CATCH_ALL]?.events).toEqual([{ httpApi: "*" }]);
});

test("the Lambda entry exports every function that serverless.yml names", () => {
  const lists = [...read("adapters/lambda.ts").matchAll(/export \{([^}]*)\}(?! from)/g)].map(
    ([, list]) => list ?? "",
  );
  const exported = [...lists.join(",").matchAll(/\banswer as (\w+)/g)].map(([, name]) => name ?? "");
  expect(sorted(exported)).toEqual(sorted(Object.keys(functions)));
});

test("serverless.yml passes every setting to the functions, except host and port", () => {
  const listening = ["ANALYTICS_HOST", "ANALYTICS_PORT"];
  expect(sorted([...Object.keys(provider.environment), ...listening])).toEqual(sorted(SETTING_NAMES));
});

test("the OpenAPI document has exactly the routes of the endpoints", () => {
  const { paths } = openApi(endpoints, "1.2.3");
  const found = Object.entries(paths).flatMap(([path, operations]) =>
    Object.keys(operations as object).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(sorted(found)).toEqual(routes.map((route) => route.replace("+}", "}")));
});

test("the README's table has exactly the routes of the endpoints, with their access", () => {
  const rows = read("README.md").matchAll(/^\| *`?([A-Z]+ \/[^|`]*?)`? *\| *`?(\w+)`? *\|/gm);
  const found = [...rows].map(([, route, access]) => `${route} ${access}`);
  expect(sorted(found)).toEqual(
    sorted(endpoints.map(({ method, path, access }) => `${method} ${path} ${access}`)),
  );
});

test("the README lists the path of every static file", () => {
  const readme = read("README.md");
  for (const { path } of filesBelow("")) expect(readme).toContain(`\`GET ${path}\``);
});
