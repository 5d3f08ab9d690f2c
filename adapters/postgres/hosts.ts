// postgres://user:password@host1:5432,host2:5432/name, as libpq takes it. The URL class refuses such a list.
const PARTS = /^(?<before>postgres(?:ql)?:\/\/(?:[^/?#]*@)?)(?<hosts>[^/?#]*)(?<after>.*)$/;

/** One URL for each host that a database's URL names, in their order; undefined where it is not a URL. */
export function urlsOf(url: string): readonly [string, ...string[]] | undefined {
  const { before = "", hosts = "", after = "" } = PARTS.exec(url)?.groups ?? {};
  const [first = "", ...others] = hosts.split(",").map((host) => `${before}${host}${after}`);
  if (![first, ...others].every((one) => URL.canParse(one))) return undefined;
  // An empty host is this one, but not in a list.
  if (others.length > 0 && hosts.split(",").includes("")) return undefined;
  return [first, ...others];
}

/** The place of a database for people to read, without user and password. */
export function placeOf(url: string): string {
  const { hosts = "", after = "" } = PARTS.exec(url)?.groups ?? {};
  return `postgres://${hosts}${after.replace(/[?#].*$/, "")}`;
}
