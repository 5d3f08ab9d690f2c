import { describe, expect, test } from "vitest";
import { clientAddress, clientNetwork, isLoopback, parseNetwork } from "../../adapters/addresses.ts";

test.each([
  ["localhost", true],
  ["LOCALHOST", true],
  ["app.localhost", true],
  ["127.0.0.1", true],
  ["127.8.9.10", true],
  ["::1", true],
  ["[::1]", true],
  ["::ffff:127.0.0.1", true],
  ["0.0.0.0", false],
  ["::", false],
  ["10.0.0.1", false],
  ["::ffff:10.0.0.1", false],
  ["127.0.0.1.nip.io", false],
  ["notlocalhost", false],
  ["", false],
])("%s means this machine: %s", (host, local) => {
  expect(isLoopback(host)).toBe(local);
});

const networks = (...texts: string[]) => texts.map(parseNetwork).filter((network) => network !== undefined);

describe("the client's address", () => {
  const trusted = networks("127.0.0.1", "10.0.0.0/8", "fd00::/8");

  test.each<[string, string | undefined, string, string]>([
    ["203.0.113.7", "198.51.100.1", "203.0.113.7", "is the peer's where the peer is no trusted proxy"],
    ["127.0.0.1", undefined, "127.0.0.1", "is the proxy's where it forwards none"],
    ["127.0.0.1", "203.0.113.7", "203.0.113.7", "is the one that a trusted proxy forwards"],
    ["::ffff:127.0.0.1", "203.0.113.7", "203.0.113.7", "is found behind an IPv4 proxy on an IPv6 socket"],
    ["127.0.0.1", "1.2.3.4, 203.0.113.7", "203.0.113.7", "is not one that the client has invented"],
    ["127.0.0.1", "203.0.113.7, 10.1.2.3", "203.0.113.7", "is found behind two trusted proxies"],
    ["127.0.0.1", "203.0.113.7:4711", "203.0.113.7", "is read without a port"],
    ["127.0.0.1", "[2001:db8::7]:4711", "2001:db8::7", "is read without a port from IPv6"],
    ["fd00::1", "2001:db8::7", "2001:db8::7", "is the one that an IPv6 proxy forwards"],
    ["127.0.0.1", "203.0.113.7, unknown", "127.0.0.1", "is the last one known where an entry is no address"],
    ["127.0.0.1", "", "127.0.0.1", "is the proxy's where the list is empty"],
    ["", "203.0.113.7", "", "is unknown where the peer's is"],
  ])("from %s with X-Forwarded-For %j is %s: it %s", (peer, forwarded, client) => {
    expect(clientAddress(peer, forwarded, trusted)).toBe(client);
  });

  test("is the peer's where no proxy is trusted", () => {
    expect(clientAddress("127.0.0.1", "203.0.113.7", [])).toBe("127.0.0.1");
  });
});

test.each([
  ["203.0.113.7", "203.0.113.7"],
  ["::ffff:203.0.113.7", "203.0.113.7"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"],
  ["2001:db8:1:2:ffff::", "2001:db8:1:2::"],
  ["fe80::1%eth0", "fe80::"],
  ["", ""],
])("%s counts as %s, because a customer has a whole network of IPv6", (address, network) => {
  expect(clientNetwork(address)).toBe(network);
});
