import { isIP } from "node:net";
import ipaddr, { type IPv4, type IPv6 } from "ipaddr.js";

/** A range of IP addresses: the first one and the length of the prefix that all of them share. */
export type Network = readonly [IPv4 | IPv6, number];

const LOCAL_NAME = /^(?:.+\.)?localhost$/i;

/** An IP address, where an IPv4 address written as IPv6 (`::ffff:10.0.0.1`) is the IPv4 address. */
const parseAddress = (text: string): IPv4 | IPv6 | undefined =>
  isIP(text) === 0 ? undefined : ipaddr.process(text);

/** A network such as `10.0.0.0/8`, or one address; undefined where the text is neither. */
export function parseNetwork(text: string): Network | undefined {
  const [address = "", prefix] = text.split("/");
  const first = parseAddress(address);
  if (first === undefined) return undefined;
  const most = first.kind() === "ipv4" ? 32 : 128;
  if (prefix === undefined) return [first, most];
  return /^\d{1,3}$/.test(prefix) && Number(prefix) <= most ? [first, Number(prefix)] : undefined;
}

/** Whether a host name or an IP address, in brackets or not, means this machine. */
export function isLoopback(host: string): boolean {
  const address = parseAddress(host.replace(/^\[(.*)\]$/, "$1"));
  return address === undefined ? LOCAL_NAME.test(host) : address.range() === "loopback";
}

const isWithin = (address: IPv4 | IPv6, networks: readonly Network[]): boolean =>
  networks.some(([first, bits]) => first.kind() === address.kind() && address.match(first, bits));

// Some proxies append the client's port.
const withoutPort = (text: string): string =>
  text.replace(/^\[(.+)\](?::\d+)?$/, "$1").replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, "$1");

/**
 * The address of the client. Each proxy appends its peer to `X-Forwarded-For`, and a client can invent the beginning: so
 * the list is read from its end for as long as the sender of the entry is a trusted proxy.
 */
export function clientAddress(
  peer: string,
  forwardedFor: string | undefined,
  trusted: readonly Network[],
): string {
  let client = peer;
  if (trusted.length === 0 || forwardedFor === undefined) return client;
  for (const entry of forwardedFor.split(",").reverse()) {
    const sender = parseAddress(client);
    if (sender === undefined || !isWithin(sender, trusted)) return client;
    const next = parseAddress(withoutPort(entry.trim()));
    if (next === undefined) return client;
    client = next.toString();
  }
  return client;
}

const IPV6_SITE_BITS = 64;

/** The range of addresses that one client controls: an IPv4 address, or an IPv6 network of 64 bits, as customers get it. */
export function clientNetwork(text: string): string {
  const address = parseAddress(text);
  if (address === undefined || address.kind() === "ipv4") return address?.toString() ?? text;
  return ipaddr.IPv6.networkAddressFromCIDR(`${address.toString()}/${IPV6_SITE_BITS}`).toString();
}
