import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { openPostgres } from "../../../adapters/postgres/storage.ts";
import { Failure } from "../../../domain/failure.ts";
import { refusalOf } from "../../world.ts";
import { bundledPostgres, databaseUser, type PostgresServer, startPostgres } from "./server.ts";

// An authority of the tests' own signs the server's certificates; openssl makes both.

function hasOpenssl(): boolean {
  try {
    execFileSync("openssl", ["version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

// Where CI is set, a missing program is a failure and not a reason to skip.
const skip = !process.env.CI && !hasOpenssl();
if (skip) process.stderr.write("The tests of TLS are skipped: openssl is not installed.\n");

const folder = mkdtempSync(join(tmpdir(), "analytics-tls-"));
const inFolder = (name: string): string => join(folder, name);
const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });

const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

function makeAuthority(name: string): void {
  const files = ["-keyout", `${name}.key`, "-out", `${name}.pem`];
  openssl("req", "-x509", ...KEY, ...files, "-subj", `/CN=${name}`, "-days", "3650");
}

interface Certificate {
  readonly name: string;
  readonly subject?: string;
  readonly from?: string;
  readonly until?: string;
}

/** A certificate that the authority signs; `openssl ca` is the command that takes dates in the past. */
function sign({
  name,
  subject = "IP:127.0.0.1",
  from = "20200101000000Z",
  until = "20990101000000Z",
}: Certificate): void {
  writeFileSync(
    inFolder(`${name}.cnf`),
    `
[ca]
default_ca = own
[own]
database = index.txt
serial = serial
new_certs_dir = signed
certificate = authority.pem
private_key = authority.key
default_md = sha256
policy = any
unique_subject = no
x509_extensions = names
[any]
commonName = supplied
[names]
subjectAltName = ${subject}
`,
  );
  openssl("req", ...KEY, "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${name}`);
  const dates = ["-startdate", from, "-enddate", until];
  openssl(
    "ca",
    "-batch",
    "-config",
    `${name}.cnf`,
    "-in",
    `${name}.csr`,
    "-out",
    `${name}.pem`,
    "-notext",
    ...dates,
  );
}

describe.skipIf(skip)("over TLS", () => {
  let server: PostgresServer;
  let database: string;

  beforeAll(async () => {
    mkdirSync(inFolder("signed"));
    writeFileSync(inFolder("index.txt"), "");
    writeFileSync(inFolder("serial"), "01\n");
    for (const name of ["authority", "stranger"]) makeAuthority(name);
    sign({ name: "right" });
    sign({ name: "expired", from: "20200101000000Z", until: "20200102000000Z" });
    sign({ name: "early", from: "20980101000000Z", until: "20990101000000Z" });
    sign({ name: "misnamed", subject: "DNS:db.example" });
    install("right");
    const files = { ssl_cert_file: inFolder("server.pem"), ssl_key_file: inFolder("server.key") };
    chmodSync(folder, 0o755);
    server = await startPostgres(bundledPostgres(), { fsync: "off", ssl: "on", ...files });
    database = await server.newDatabase();
  });
  afterAll(async () => {
    await server?.remove();
    rmSync(folder, { recursive: true });
  });

  /** Gives the server this certificate, which it reads when it starts. */
  function install(name: string): void {
    for (const suffix of ["pem", "key"]) {
      copyFileSync(inFolder(`${name}.${suffix}`), inFolder(`server.${suffix}`));
      const user = databaseUser();
      if (user !== undefined) chownSync(inFolder(`server.${suffix}`), user.uid, user.gid);
      chmodSync(inFolder(`server.${suffix}`), 0o600);
    }
  }

  async function restartWith(name: string): Promise<void> {
    await server.halt();
    install(name);
    await server.start();
  }

  const ca = (authority: string): string => readFileSync(inFolder(`${authority}.pem`), "utf8");

  // Longer than a test may take: what is tried again does not end in time.
  const patienceMs = 600_000;
  const open = (mode: string, authority = "authority") =>
    openPostgres(`${database}?sslmode=${mode}`, { ca: ca(authority), patienceMs });

  test.each(["require", "verify-ca", "verify-full"])(
    "the right certificate is accepted with %s",
    async (mode) => {
      await restartWith("right");
      const storage = await open(mode);
      onTestFinished(() => storage.close());
      expect(await storage.check()).toEqual({ state: "ok", erasuresWaiting: 0 });
    },
  );

  test.each([
    [
      "of an unknown authority",
      "right",
      "verify-full",
      "stranger",
      /unable to verify.*Set ANALYTICS_DATABASE_CA/,
    ],
    ["that has expired", "expired", "verify-full", "authority", /expired.*Renew the server's certificate/],
    ["that has expired, with its name unchecked", "expired", "verify-ca", "authority", /expired/],
    ["that is not valid yet", "early", "verify-full", "authority", /not yet valid/],
    ["of another name", "misnamed", "verify-full", "authority", /does not match.*sslmode=verify-ca/],
  ])(
    "a certificate %s is refused at once, with what to do",
    async (_name, certificate, mode, authority, message) => {
      await restartWith(certificate);
      await expect(open(mode, authority)).rejects.toMatchObject({
        name: "UnusableDatabase",
        message: expect.stringMatching(message),
      });
    },
  );

  test("a certificate of another name is accepted where its name is not checked", async () => {
    await restartWith("misnamed");
    await (await open("verify-ca")).close();
  });

  test("a server without TLS is refused at once", async () => {
    const plain = await startPostgres(bundledPostgres(), { fsync: "off" });
    onTestFinished(plain.remove);
    const url = `${await plain.newDatabase()}?sslmode=verify-full`;
    await expect(openPostgres(url, { ca: ca("authority"), patienceMs })).rejects.toMatchObject({
      name: "UnusableDatabase",
      message: expect.stringContaining("The server offers no TLS."),
    });
  });

  test("a certificate that becomes bad while the server runs is a failure at once, with its cause for the log", async () => {
    await restartWith("right");
    const storage = await open("verify-full");
    onTestFinished(() => storage.close());
    await restartWith("expired");
    const failure = await storage.findExperiment(1).catch((error) => error);
    expect(failure).toBeInstanceOf(Failure);
    expect(failure).toMatchObject({ code: "unavailable", cause: { name: "UntrustedServer" } });
    expect(await refusalOf(storage.check())).toMatchObject({ code: "unavailable" });
  });
});
