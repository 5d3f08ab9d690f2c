import { expect, test } from "vitest";
import { attributesOf } from "../../../handlers/compatible/attributes.ts";

test("flat facts under a proper name become attributes, and others are left out", () => {
  const sent: Record<string, unknown> = JSON.parse(`{
    "country": "CH", "age": 41, "paying": false,
    "nested": { "a": [1] }, "list": [], "nothing": null, "blank": " ", "": "no name", "__proto__": "text"
  }`);
  expect(attributesOf(sent)).toEqual({ country: "CH", age: 41, paying: false });
});

test("facts of which none can be an attribute are none", () => {
  expect(attributesOf({ nested: {} })).toBeUndefined();
});
