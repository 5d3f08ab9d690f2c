import { expect, test } from "vitest";
import { faultOfHost, parseTarget } from "../../../../adapters/http/requests/request-target.ts";

test.each([
  ["/health", { path: "/health", query: "", host: undefined }],
  ["/a?b=c?d", { path: "/a", query: "b=c?d", host: undefined }],
  ["/a?", { path: "/a", query: "", host: undefined }],
  ["?b", { path: "/", query: "b", host: undefined }],
  ["http://shop.example:20000/a?b=c", { path: "/a", query: "b=c", host: "shop.example:20000" }],
  ["HTTPS://shop.example/", { path: "/", query: "", host: "shop.example" }],
  ["http://shop.example", { path: "/", query: "", host: "shop.example" }],
  ["http://shop.example?b", { path: "/", query: "b", host: "shop.example" }],
  ["http:///a", { path: "/a", query: "", host: "" }],
  ["ftp://shop.example/a", { path: "ftp://shop.example/a", query: "", host: undefined }],
  ["/http://shop.example/a", { path: "/http://shop.example/a", query: "", host: undefined }],
  ["*", { path: "*", query: "", host: undefined }],
  ["", { path: "/", query: "", host: undefined }],
])("the target %j is parsed as %j", (target, parsed) => {
  expect(parseTarget(target)).toEqual(parsed);
});

test.each([
  [["Host", "localhost"], "1.1", undefined],
  [["accept", "host", "HOST", "localhost"], "1.1", undefined],
  [["Host", "localhost", "host", "localhost"], "1.1", "The request has several Host headers: send one."],
  [["Host", "localhost", "Host", "evil.example"], "1.0", "The request has several Host headers: send one."],
  [["accept", "host"], "1.1", "The request has no Host header: send one."],
  [[], "1.0", undefined],
])("headers %j of HTTP/%s are refused: %s", (rawHeaders, version, detail) => {
  expect(faultOfHost(rawHeaders, version)?.message).toBe(detail);
});
