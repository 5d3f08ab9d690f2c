// Request bodies of the load: 200,000 users, eight event types, six properties.

const USERS = 200_000;
const EVENT_TYPES = [
  "page_view",
  "button_click",
  "search",
  "add_to_cart",
  "checkout",
  "purchase",
  "login",
  "share",
];
const PAGES = ["home", "catalogue", "product", "basket", "account"];

/** Seeded pseudo-random integers: the same sequence in every run. */
function seededIntegers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const roll = seededIntegers(20_000);
const pick = (list: readonly string[]): string => list[roll(list.length)] ?? "";

let messages = 0;

/** A UUIDv7. Its leading timestamp makes the index grow at one end only. */
export function messageId(): string {
  messages += 1;
  const time = Date.now().toString(16).padStart(12, "0");
  const count = messages.toString(16).padStart(12, "0");
  const tail = roll(2 ** 32)
    .toString(16)
    .padStart(8, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${count.slice(0, 3)}-8${count.slice(3, 6)}-${count.slice(6)}${tail.slice(2)}`;
}

const eventFields = (users = USERS): string => {
  const user = roll(users);
  return (
    `"event_type":"${pick(EVENT_TYPES)}","user_id":"user-${user}","session_id":"session-${user}-${roll(40)}",` +
    `"properties":{"page":"${pick(PAGES)}","button_name":"submit","position":${roll(100)},"price":${roll(10_000) / 100},` +
    `"logged_in":${roll(2) === 0},"referrer":"https://example.org/${roll(1_000)}"}`
  );
};

export const event = (): string => `{${eventFields()}}`;
export const eventWithId = (): string => `{${eventFields()},"message_id":"${messageId()}"}`;

// Most events come from users seen before, as on a server that has run for a long time.
const RETURNING_USERS = 20_000;
export const returningUserEvent = (): string =>
  `{${eventFields(RETURNING_USERS)},"message_id":"${messageId()}"}`;

export const BATCH = 1_000;

/**
 * Cycles through eight prepared batches: building a batch takes longer than storing it. Only for items without message
 * ids.
 */
export function batches(item: () => string): () => string {
  const made = Array.from({ length: 8 }, () => `[${Array.from({ length: BATCH }, item).join(",")}]`);
  let next = 0;
  return () => made[next++ % made.length] ?? "";
}

export const returningUserBatch = (): string =>
  `[${Array.from({ length: BATCH }, returningUserEvent).join(",")}]`;

export const batchWithIds = (): string => `[${Array.from({ length: BATCH }, eventWithId).join(",")}]`;

export const KNOWN_USERS = 20_000;
export const knownUser = (index = roll(KNOWN_USERS)): string => `known-${index}`;

let newUsers = 0;
export const newUser = (): string => {
  newUsers += 1;
  return `new-${newUsers}-${roll(1_000_000)}`;
};

export const assignment = (user: string): string => `{"user_id":"${user}"}`;
export const metric = (): string =>
  `{"user_id":"${knownUser()}","metric_name":"purchase","value":${roll(10_000) / 100}}`;
export const metricWithId = (): string =>
  `{"user_id":"${knownUser()}","metric_name":"purchase","value":${roll(10_000) / 100},"message_id":"${messageId()}"}`;
