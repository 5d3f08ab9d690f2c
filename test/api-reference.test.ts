import { expect, test } from "vitest";
import { type ApiDocument, apiReference } from "../scripts/api-reference.ts";
import { openEdge } from "./world.ts";

test("docs/api.md describes the endpoints as they are (`npm run docs` writes it)", async () => {
  const { body } = await openEdge().send({ path: "/apiv1/openapi.json" });
  await expect(apiReference(body as ApiDocument)).toMatchFileSnapshot("../docs/api.md");
});
