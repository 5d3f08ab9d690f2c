import { expect, test } from "vitest";
import { FAILURE_STATUS } from "../adapters/http/answers/statuses.ts";
import { type ApiDocument, apiReference } from "../scripts/api-reference.ts";
import { openEdge } from "./world.ts";

const documentOf = async (): Promise<ApiDocument> =>
  (await openEdge().send({ path: "/apiv1/openapi.json" })).body as ApiDocument;

test("docs/api.md describes the endpoints as they are (`npm run docs` writes it)", async () => {
  await expect(apiReference(await documentOf())).toMatchFileSnapshot("../docs/api.md");
});

test("docs/api.md has every error code with its status, and what to do", async () => {
  const rows = apiReference(await documentOf()).matchAll(/^\| (\d+) \| `(\w+)` \| \S.{30,} \|$/gm);
  const found = [...rows].map(([, status, code]) => [code, Number(status)]);
  expect(Object.fromEntries(found)).toEqual(FAILURE_STATUS);
});
