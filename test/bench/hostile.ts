import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { setPriority } from "node:os";
import { fileURLToPath } from "node:url";
import { BATCH, event } from "./bodies.ts";
import { AUTHORIZED, prepare } from "./contenders/analytics-server.ts";
import { ATTACKS, type Attack, batchClients } from "./hostile/attacks.ts";
import { awaitOutput, inFolder, ROOT, spawnNode, stopChild } from "./processes.ts";
import { percentile } from "./samples.ts";

// Measures the latency of one regular client while hostile clients attack the server.
const SECONDS = 4;
// Long enough to make the time for 400 clients to connect negligible.
const OVERLOAD_SECONDS = 12;
const REGULAR_EVERY_MS = 5;
const SAMPLE_EVERY_MS = 50;
const MAX_P99_MS = 100;
const MAX_MEMORY_MB = 400;
// Batches over 128 connections, on a server of its own: the memory meanwhile, and how soon it is given back.
const BATCH_CONNECTIONS = 128;
const BATCH_SECONDS = 60;
const MAX_MEMORY_OF_BATCHES_MB = 300;
const MAX_MEMORY_AFTER = 1.3;
const MAX_SECONDS_AFTER = 60;
const MAX_LOG_MB_A_SECOND = 1;
const MIN_RATE_UNDER_OVERLOAD = 0.8;
const BATCHES_BEFORE = 200;
const MAX_WAITING_SHARE = 0.5;
const MAX_CALM_TRIES = 100;
// Attackers keep every core busy. A lower priority keeps the regular client from measuring the lack of cores instead.
const ATTACKER_NICENESS = 10;
// For the start of the attacker, and for its counts after the last second.
const ATTACKER_TIMEOUT_MS = 60_000;

interface Victim {
  readonly child: ChildProcess;
  readonly url: string;
  logBytes: number;
}

interface Outcome {
  readonly p50: number;
  readonly p99: number;
  /** The p99 of the time for which the server's main thread ran during a request: what is the server's own doing. */
  readonly ownP99: number;
  readonly max: number;
  readonly failed: number;
  readonly memory: number;
  readonly logged: number;
  /** The share of the time in which the server could have run but other processes had the cores. */
  readonly waitingShare: number;
  /** How long the server's main thread ran. */
  readonly ranSeconds: number;
  readonly answered: { requests: number; accepted: number; refused: number; broken: number };
}

async function startVictim(folder: string): Promise<Victim> {
  const child = spawnNode({
    args: [`${ROOT}dist/serve.mjs`],
    env: {
      ANALYTICS_PORT: "0",
      ANALYTICS_DATABASE: `${folder}/hostile.db`,
      ANALYTICS_ADMIN_KEYS: AUTHORIZED.authorization.replace("Bearer ", ""),
    },
  });
  const [url] = await awaitOutput(child, /http:\/\/[\d.]+:\d+/);
  const victim = { child, url, logBytes: 0 };
  const count = (chunk: Buffer): void => {
    victim.logBytes += chunk.byteLength;
  };
  child.stdout?.on("data", count);
  child.stderr?.on("data", count);
  return victim;
}

/** Resident memory in megabytes. NaN if the process has ended or the system is not Linux. */
function residentMegabytes(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
  } catch {
    return Number.NaN;
  }
}

/** Nanoseconds that the main thread of the server has run and has waited for a core. Undefined if not on Linux. */
function scheduleOf(pid: number): { readonly ran: number; readonly waited: number } | undefined {
  try {
    const [ran = 0, waited = 0] = readFileSync(`/proc/${pid}/schedstat`, "utf8").split(" ").map(Number);
    return { ran, waited };
  } catch {
    return undefined;
  }
}

function scheduledSince(pid: number, before: ReturnType<typeof scheduleOf>, seconds: number) {
  const now = scheduleOf(pid);
  if (before === undefined || now === undefined) return { waitingShare: Number.NaN, ranSeconds: seconds };
  const waited = now.waited - before.waited;
  const ran = now.ran - before.ran;
  return { waitingShare: waited / (waited + ran), ranSeconds: ran / 1e9 };
}

/** Sends one event and returns whether it was stored. */
function sendRegular(url: string, agent: Agent): Promise<boolean> {
  const headers = { ...AUTHORIZED, "content-type": "application/json" };
  return new Promise((resolve) => {
    const sent = request(`${url}/apiv1/events`, { method: "POST", agent, headers }, (response) => {
      response.resume();
      response.once("end", () => resolve(response.statusCode === 201));
      response.once("error", () => resolve(false));
    });
    sent.once("error", () => resolve(false));
    sent.end(event());
  });
}

async function measureRegular({ url, child }: Victim, until: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const milliseconds: number[] = [];
  const ownMilliseconds: number[] = [];
  const ranMilliseconds = (): number => (scheduleOf(child.pid ?? 0)?.ran ?? Number.NaN) / 1e6;
  let failed = 0;
  while (Date.now() < until) {
    const startedAt = performance.now();
    const ranBefore = ranMilliseconds();
    if (!(await sendRegular(url, agent))) failed += 1;
    milliseconds.push(performance.now() - startedAt);
    ownMilliseconds.push(ranMilliseconds() - ranBefore);
    await new Promise((resolve) => setTimeout(resolve, REGULAR_EVERY_MS));
  }
  agent.destroy();
  milliseconds.sort((a, b) => a - b);
  ownMilliseconds.sort((a, b) => a - b);
  return { milliseconds, ownMilliseconds, failed };
}

const attacker = fileURLToPath(new URL("contenders/attacker.mjs", import.meta.url));

async function measureAttack(victim: Victim, attack: Attack, seconds = SECONDS): Promise<Outcome> {
  const child = spawnNode({ args: [attacker, attack.name, victim.url, String(seconds)] });
  setPriority(child.pid ?? 0, ATTACKER_NICENESS);
  const counted = awaitOutput(child, /counts (\{.*\})/, seconds * 1_000 + ATTACKER_TIMEOUT_MS);
  const pid = victim.child.pid ?? 0;
  let memory = residentMegabytes(pid);
  const sampling = setInterval(() => {
    memory = Math.max(memory, residentMegabytes(pid));
  }, SAMPLE_EVERY_MS);
  const loggedBefore = victim.logBytes;
  const scheduledBefore = scheduleOf(pid);
  const { milliseconds, ownMilliseconds, failed } = await measureRegular(
    victim,
    Date.now() + seconds * 1_000,
  );
  const scheduled = scheduledSince(pid, scheduledBefore, seconds);
  const [, counts = "{}"] = await counted;
  clearInterval(sampling);
  await stopChild(child);
  return {
    p50: percentile(milliseconds, 0.5),
    p99: percentile(milliseconds, 0.99),
    ownP99: percentile(ownMilliseconds, 0.99),
    max: milliseconds.at(-1) ?? Number.NaN,
    failed,
    memory,
    logged: (victim.logBytes - loggedBefore) / seconds / 1e6,
    ...scheduled,
    answered: JSON.parse(counts),
  };
}

/** Waits until the server has finished the work of the previous attack: five fast answers in a row. */
async function waitUntilCalm({ url }: Victim): Promise<void> {
  for (let fastAnswers = 0, tries = 0; fastAnswers < 5 && tries < MAX_CALM_TRIES; tries += 1) {
    const startedAt = performance.now();
    const isStored = await prepare(
      url,
      "/apiv1/events/batch",
      Array(BATCH).fill({ event_type: "calm" }),
    ).then(
      () => true,
      () => false,
    );
    fastAnswers = isStored && performance.now() - startedAt < MAX_P99_MS ? fastAnswers + 1 : 0;
  }
}

const isHarmless = ({ p99, memory, failed, logged }: Outcome): boolean =>
  p99 < MAX_P99_MS && !(memory >= MAX_MEMORY_MB) && failed === 0 && logged < MAX_LOG_MB_A_SECOND;

const verdict = (passes: boolean): string => (passes ? "PASS" : "FAIL");

const HEAD = [
  "hostile clients",
  "requests",
  "2xx",
  "regular p50 ms",
  "p99",
  "own p99",
  "max",
  "failed",
  "memory MB",
  "log MB/s",
  "waited for a core %",
  "",
];

const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |\n`;

const rowOf = (name: string, outcome: Outcome): string[] => [
  name.padEnd(27),
  String(outcome.answered.requests),
  String(outcome.answered.accepted),
  outcome.p50.toFixed(1),
  outcome.p99.toFixed(1),
  outcome.ownP99.toFixed(1),
  outcome.max.toFixed(0),
  String(outcome.failed),
  outcome.memory.toFixed(0),
  outcome.logged.toFixed(2),
  (100 * outcome.waitingShare).toFixed(0),
  verdict(isHarmless(outcome)),
];

/** Whether the memory of a server stays small under batches over many connections, and is given back afterwards. */
async function givesMemoryBack(folder: string): Promise<boolean> {
  const victim = await startVictim(`${folder}/batches`);
  await fill(victim);
  const resident = (): number => residentMegabytes(victim.child.pid ?? 0);
  const idle = resident();
  const { memory } = await measureAttack(victim, batchClients(BATCH_CONNECTIONS), BATCH_SECONDS);
  const endedAt = Date.now();
  const seconds = (): number => (Date.now() - endedAt) / 1_000;
  while (resident() > MAX_MEMORY_AFTER * idle && seconds() < MAX_SECONDS_AFTER) {
    await new Promise((resolve) => setTimeout(resolve, SAMPLE_EVERY_MS));
  }
  const after = resident();
  say(
    `\n${BATCH_SECONDS} s of batches over ${BATCH_CONNECTIONS} connections: ${idle.toFixed(0)} MB before, at most ` +
      `${memory.toFixed(0)} MB, ${after.toFixed(0)} MB ${seconds().toFixed(0)} s afterwards\n`,
  );
  await stopChild(victim.child);
  return !(memory >= MAX_MEMORY_OF_BATCHES_MB) && !(after > MAX_MEMORY_AFTER * idle);
}

const say = (text: string): void => void process.stdout.write(text);

/** The attacks whose names contain one of the texts; all where there is none. */
function choose(texts: readonly string[]): readonly Attack[] {
  const unknown = texts.filter((text) => !ATTACKS.some(({ name }) => name.includes(text)));
  if (unknown.length > 0) {
    const names = ATTACKS.map(({ name }) => name).join("\n  ");
    throw new Error(`No attack has a name with ${unknown.join(" or ")}. Choose from:\n  ${names}`);
  }
  return texts.length === 0
    ? ATTACKS
    : ATTACKS.filter(({ name }) => texts.some((text) => name.includes(text)));
}

async function fill({ url }: Victim): Promise<void> {
  const events = Array.from({ length: BATCH }, () => JSON.parse(event()));
  for (let n = 0; n < BATCHES_BEFORE; n += 1) await prepare(url, "/apiv1/events/batch", events);
}

async function withstands(victim: Victim, attacks: readonly Attack[]): Promise<boolean> {
  say(line(HEAD) + line(HEAD.map(() => "---")));
  const outcomes: Outcome[] = [];
  for (const attack of attacks) {
    const outcome = await measureAttack(victim, attack);
    outcomes.push(outcome);
    say(line(rowOf(attack.name, outcome)));
  }
  if (Math.max(...outcomes.map(({ waitingShare }) => waitingShare)) > MAX_WAITING_SHARE) {
    say("The server waited for a core most of the time: repeat on an idle machine.\n");
  }
  return outcomes.every(isHarmless);
}

/** Whether many clients of batches get about as much stored as a few. */
async function keepsRateUnderOverload(victim: Victim): Promise<boolean> {
  await waitUntilCalm(victim);
  const few = await measureAttack(victim, batchClients(32), OVERLOAD_SECONDS);
  await waitUntilCalm(victim);
  const many = await measureAttack(victim, batchClients(400), OVERLOAD_SECONDS);
  // Per second of CPU time, because other processes take different shares of the wall-clock time of the two runs.
  const rate = ({ answered, ranSeconds }: Outcome): number =>
    Math.round((answered.accepted * BATCH) / ranSeconds);
  const ratio = rate(many) / rate(few);
  say(
    `\nEvents stored per CPU second of the main thread: ${rate(few)} with 32 batch clients, ` +
      `${rate(many)} with 400: ${ratio.toFixed(2)} ×\n`,
  );
  return ratio >= MIN_RATE_UNDER_OVERLOAD;
}

// With names only these rows are measured: `npm run bench -- hostile "unread exports"`.
const texts = process.argv.slice(2);
const attacks = choose(texts);

await inFolder(async (folder) => {
  const victim = await startVictim(folder);
  await fill(victim);
  const holds = [await withstands(victim, attacks)];
  if (texts.length === 0) holds.push(await keepsRateUnderOverload(victim));
  holds.push(victim.child.exitCode === null);
  await stopChild(victim.child);
  if (texts.length === 0) holds.push(await givesMemoryBack(folder));
  const passes = holds.every(Boolean);
  say(
    `${verdict(passes)}: p99 of the regular client below ${MAX_P99_MS} ms, memory below ${MAX_MEMORY_MB} MB, ` +
      `log below ${MAX_LOG_MB_A_SECOND} MB/s, at least ${MIN_RATE_UNDER_OVERLOAD} × the rate under overload; with ` +
      `${BATCH_CONNECTIONS} connections of batches memory below ${MAX_MEMORY_OF_BATCHES_MB} MB, and at most ` +
      `${MAX_MEMORY_AFTER} × that of before afterwards\n`,
  );
  process.exitCode = passes ? 0 : 1;
});
process.exit();
