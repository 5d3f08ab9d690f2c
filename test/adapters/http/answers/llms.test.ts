import { expect, test } from "vitest";
import { filesBelow } from "../../../../adapters/http/answers/files.ts";
import { withDescription } from "../../../../adapters/http/answers/openapi.ts";
import { endpoints } from "../../../../handlers/contract/endpoints.ts";
import { openEdge } from "../../../world.ts";

const asked = { path: "/llms.txt" };

test("/llms.txt is one page of text with a title, a summary and every endpoint with its access", async () => {
  const { status, headers, body } = await openEdge().send(asked);
  expect([status, headers["content-type"]]).toEqual([200, "text/plain; charset=utf-8"]);
  const text = String(body);
  expect(text).toMatch(/^# Analytics Server\n\n> \S.+\n/);
  for (const { method, path, access, summary } of withDescription(endpoints)) {
    expect(text).toContain(`- \`${method} ${path.replace("+}", "}")}\` (${access}): ${summary}\n`);
  }
  expect(text.length).toBeLessThan(16_000);
});

test("every address that /llms.txt links to is one of the server's", async () => {
  const { body } = await openEdge().send(asked);
  const served = [...withDescription(endpoints), ...filesBelow("")].map(({ path }) => path);
  const links = [...String(body).matchAll(/\]\((\/[^)]*)\)/g)].map(([, path = ""]) => path);
  expect(links).toContain("/apiv1/openapi.json");
  expect(served).toEqual(expect.arrayContaining(links));
});
