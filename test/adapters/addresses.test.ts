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
])("%s is a loopback address: %s", (host, local) => {
  expect(isLoopback(host)).toBe(local);
});

const networks = (...texts: string[]) => texts.map(parseNetwork).filter((network) => network !== undefined);

describe("the address of the client", () => {
  const trusted = networks("127.0.0.1", "10.0.0.0/8", "fd00::/8");

  test.each<[string, string | undefined, string, string]>([
    ["203.0.113.7", "198.51.100.1", "203.0.113.7", "is the peer address if the peer is not a trusted proxy"],
    ["127.0.0.1", undefined, "127.0.0.1", "is the proxy address if the proxy forwards none"],
    ["127.0.0.1", "203.0.113.7", "203.0.113.7", "is the address that a trusted proxy forwards"],
    ["::ffff:127.0.0.1", "203.0.113.7", "203.0.113.7", "is found behind an IPv4 proxy on an IPv6 socket"],
    ["127.0.0.1", "1.2.3.4, 203.0.113.7", "203.0.113.7", "ignores an address that the client forged"],
    ["127.0.0.1", "203.0.113.7, 10.1.2.3", "203.0.113.7", "is found behind two trusted proxies"],
    ["127.0.0.1", "203.0.113.7:4711", "203.0.113.7", "is read without a port"],
    ["127.0.0.1", "[2001:db8::7]:4711", "2001:db8::7", "is read without a port from IPv6"],
    ["fd00::1", "2001:db8::7", "2001:db8::7", "is the address that an IPv6 proxy forwards"],
    [
      "127.0.0.1",
      "203.0.113.7, unknown",
      "127.0.0.1",
      "is the last valid address if an entry is not an address",
    ],
    ["127.0.0.1", "", "127.0.0.1", "is the proxy address if the list is empty"],
    ["", "203.0.113.7", "", "is unknown if the peer address is unknown"],
  ])("for peer %s and X-Forwarded-For %j is %s: it %s", (peer, forwarded, client) => {
    expect(clientAddress(peer, forwarded, trusted)).toBe(client);
  });

  test("is the peer address if no proxy is trusted", () => {
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
])("%s is rate limited as %s, the network of one customer", (address, network) => {
  expect(clientNetwork(address)).toBe(network);
});
