import { describe, expect, test } from "vitest";
import { createAnnotation } from "../../../../handlers/reports/annotations/create-annotation.ts";
import { deleteAnnotation } from "../../../../handlers/reports/annotations/delete-annotation.ts";
import { listAnnotations } from "../../../../handlers/reports/annotations/list-annotations.ts";
import { call, faultPathsOf, openEdge, openWorld, refusalOf } from "../../../world.ts";

const NOW = "2026-11-22T10:00:00.000Z";

async function added(...annotations: readonly object[]) {
  const world = openWorld();
  const bodies = [];
  for (const body of annotations) bodies.push((await call(createAnnotation, world, { body })).body);
  const listed = async (query: object = {}) =>
    (await call(listAnnotations, world, { query })).body.annotations.map(({ text, at }) => [text, at]);
  return { world, bodies, listed };
}

describe("annotations", () => {
  test("are stored at their time, or now", async () => {
    const { bodies, listed } = await added(
      { text: "Release 1.9", at: "2026-11-20T08:00:00+02:00" },
      { text: "Sale" },
    );
    expect(bodies).toEqual([
      {
        success: true,
        annotation_id: expect.any(String),
        at: "2026-11-20T06:00:00.000Z",
        text: "Release 1.9",
      },
      { success: true, annotation_id: expect.any(String), at: NOW, text: "Sale" },
    ]);
    expect(bodies[0]?.annotation_id).not.toBe(bodies[1]?.annotation_id);
    expect(await listed()).toEqual([
      ["Sale", NOW],
      ["Release 1.9", "2026-11-20T06:00:00.000Z"],
    ]);
  });

  test("are listed for a range, newest first, at most as many as asked for", async () => {
    const { listed } = await added(
      { text: "before", at: "2026-11-19T23:59:59.999Z" },
      { text: "first", at: "2026-11-20T00:00:00Z" },
      { text: "last", at: "2026-11-21T23:59:59.999Z" },
      { text: "after", at: "2026-11-22T00:00:00Z" },
    );
    const range = { from: "2026-11-20", to: "2026-11-21" };
    expect((await listed(range)).map(([text]) => text)).toEqual(["last", "first"]);
    expect((await listed({ ...range, limit: "1" })).map(([text]) => text)).toEqual(["last"]);
    expect((await listed({ ...range, timezone: "Asia/Tokyo" })).map(([text]) => text)).toEqual([
      "first",
      "before",
    ]);
  });

  test("are deleted once", async () => {
    const { world, bodies, listed } = await added({ text: "wrong" }, { text: "right" });
    const params = { annotation_id: bodies[0]?.annotation_id };
    expect(await call(deleteAnnotation, world, { params })).toEqual({ outcome: "deleted", body: undefined });
    expect(await listed()).toEqual([["right", NOW]]);
    expect(await refusalOf(call(deleteAnnotation, world, { params }))).toMatchObject({
      code: "not_found",
      detail: `There is no annotation ${params.annotation_id}. GET /apiv1/annotations lists those there are.`,
    });
  });

  test("are written over HTTP with an admin key only: a write key is in every page", async () => {
    const key = (letter: string): string => letter.repeat(16);
    const [write, read, admin] = [key("w"), key("r"), key("a")];
    const { send } = openEdge({ keys: { write: [write], read: [read], admin: [admin] } });
    const statusWith = async (role: string, method: string, body?: object) => {
      const headers = { authorization: `Bearer ${role}`, "content-type": "application/json" };
      return (await send({ method, path: "/apiv1/annotations", headers, body })).status;
    };
    expect(await statusWith(write, "POST", { text: "x" })).toBe(403);
    expect(await statusWith(admin, "POST", { text: "x" })).toBe(201);
    expect(await statusWith(write, "GET")).toBe(403);
    expect(await statusWith(read, "GET")).toBe(200);
  });

  test.each([
    ["no text", {}, "text"],
    ["a blank text", { text: " " }, "text"],
    ["201 characters", { text: "x".repeat(201) }, "text"],
    ["a time without a zone", { text: "x", at: "2026-11-22T10:00:00" }, "at"],
    ["an unknown field", { text: "x", colour: "red" }, "colour"],
  ])("with %s are refused with the path", async (_name, body, path) => {
    expect(await faultPathsOf(call(createAnnotation, openWorld(), { body }))).toEqual(["invalid", path]);
  });
});
