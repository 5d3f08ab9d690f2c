import type { Footprint } from "../../../domain/reports/funnel-run.ts";

const START = 1_024;
// Below this, sorting by insertion is faster than anything else.
const FEW = 64;

/** The events of a funnel, in columns: an object for each would take ten times the time and memory. */
export class FootprintColumns {
  #length = 0;
  #users = new Uint32Array(START);
  #steps = new Uint32Array(START);
  #times = new Float64Array(START);
  #ids = new Float64Array(START);

  add(user: number, time: number, id: number, steps: number): void {
    if (this.#length === this.#users.length) this.#grow();
    const turn = this.#length++;
    this.#users[turn] = user;
    this.#times[turn] = time;
    this.#ids[turn] = id;
    this.#steps[turn] = steps;
  }

  #grow(): void {
    const size = 4 * this.#length;
    const grown = <Column extends Uint32Array | Float64Array>(larger: Column, column: Column): Column => {
      larger.set(column);
      return larger;
    };
    this.#users = grown(new Uint32Array(size), this.#users);
    this.#steps = grown(new Uint32Array(size), this.#steps);
    this.#times = grown(new Float64Array(size), this.#times);
    this.#ids = grown(new Float64Array(size), this.#ids);
  }

  /** Groups the events by user, in the order of time and id. Users are numbered up to `users`. */
  byUser(users: number): UserFootprints {
    const ends = new Uint32Array(users + 2);
    const all = this.#users.subarray(0, this.#length);
    for (const user of all) ends[user + 1] = (ends[user + 1] as number) + 1;
    for (let user = 1; user < ends.length; user++) {
      ends[user] = (ends[user] as number) + (ends[user - 1] as number);
    }
    const turns = new Uint32Array(this.#length);
    for (let turn = 0; turn < all.length; turn++) {
      const user = all[turn] as number;
      const place = ends[user] as number;
      turns[place] = turn;
      ends[user] = place + 1;
    }
    return new UserFootprints(turns, ends, this.#times, this.#ids, this.#steps);
  }
}

/** Events grouped by user: those of one user are at the places from `start` up to, but not including, `end`. */
class UserFootprints {
  readonly length: number;
  readonly #ends: Uint32Array;
  readonly #times: Float64Array;
  readonly #ids: Float64Array;
  readonly #steps: Uint32Array;

  constructor(
    turns: Uint32Array,
    ends: Uint32Array,
    times: Float64Array,
    ids: Float64Array,
    steps: Uint32Array,
  ) {
    this.length = turns.length;
    this.#ends = ends;
    const compare = (a: number, b: number): number =>
      (times[a] as number) - (times[b] as number) || (ids[a] as number) - (ids[b] as number);
    for (let user = 1; user < ends.length - 1; user++) {
      sortFew(turns.subarray(ends[user - 1] as number, ends[user] as number), compare);
    }
    this.#times = new Float64Array(turns.length);
    this.#ids = new Float64Array(turns.length);
    this.#steps = new Uint32Array(turns.length);
    for (let place = 0; place < turns.length; place++) {
      const turn = turns[place] as number;
      this.#times[place] = times[turn] as number;
      this.#ids[place] = ids[turn] as number;
      this.#steps[place] = steps[turn] as number;
    }
  }

  start(user: number): number {
    return this.#ends[user - 1] as number;
  }

  end(user: number): number {
    return this.#ends[user] as number;
  }

  time(place: number): number {
    return this.#times[place] as number;
  }

  at(place: number): Footprint {
    return {
      id: this.#ids[place] as number,
      occurred_at: this.#times[place] as number,
      steps: this.#steps[place] as number,
    };
  }

  /** Whether the event at a place precedes this one. */
  comesBefore(place: number, time: number, id: number): boolean {
    const own = this.#times[place] as number;
    return own < time || (own === time && (this.#ids[place] as number) < id);
  }
}

function sortFew(turns: Uint32Array, compare: (a: number, b: number) => number): void {
  if (turns.length > FEW) {
    turns.sort(compare);
    return;
  }
  for (let end = 1; end < turns.length; end++) {
    const turn = turns[end] as number;
    let place = end;
    for (; place > 0 && compare(turns[place - 1] as number, turn) > 0; place--) {
      turns[place] = turns[place - 1] as number;
    }
    turns[place] = turn;
  }
}

// The numbers of one user, side by side, so that most events touch one place in memory.
/** The place of the footprint that follows the last addition, and its time. */
const PLACE = 0;
const NEXT_TIME = 1;
/** The last addition before that footprint. Without one, the time is that of the footprint before, and the id is not a number. */
const LAST_TIME = 2;
const LAST_ID = 3;
const NUMBERS = 4;

/**
 * For each event, the user's last event of another kind before it. Those may be added in any order. Of the many times that a
 * user repeats a funnel's first step, only those matter that are followed by another step.
 */
// Hot: a funnel adds millions of events. They are nearly in the order of time, so most follow the user's last addition.
export class LastBefore {
  readonly #footprints: UserFootprints;
  readonly #times: Float64Array;
  readonly #ids: Float64Array;
  /** By user, where their numbers begin. */
  readonly #rows: Uint32Array;
  readonly #numbers: Float64Array;

  constructor(footprints: UserFootprints, users: number) {
    this.#footprints = footprints;
    this.#times = new Float64Array(footprints.length).fill(Number.NEGATIVE_INFINITY);
    this.#ids = new Float64Array(footprints.length);
    this.#rows = new Uint32Array(users + 1);
    let end = 0;
    for (let user = 1; user <= users; user++) {
      this.#rows[user] = end;
      if (footprints.start(user) < footprints.end(user)) end += NUMBERS;
    }
    this.#numbers = new Float64Array(end);
    for (let user = 1; user <= users; user++) {
      if (footprints.start(user) < footprints.end(user)) this.#goTo(user, footprints.start(user));
    }
  }

  /** Adds an event of a user who has footprints. */
  add(user: number, time: number, id: number): void {
    const row = this.#rows[user] as number;
    const numbers = this.#numbers;
    if (time < (numbers[row + NEXT_TIME] as number) && time > (numbers[row + LAST_TIME] as number)) {
      numbers[row + LAST_TIME] = time;
      numbers[row + LAST_ID] = id;
    } else this.#addElsewhere(user, time, id);
  }

  #addElsewhere(user: number, time: number, id: number): void {
    this.#keep(user);
    const place = this.#placeOf(user, time, id);
    if (place < this.#footprints.end(user)) {
      const known = this.#times[place] as number;
      if (time > known || (time === known && id > (this.#ids[place] as number))) {
        this.#times[place] = time;
        this.#ids[place] = id;
      }
    }
    this.#goTo(user, place);
  }

  /** Stores the user's last addition with the footprint that follows it, if there are both. */
  #keep(user: number): void {
    const row = this.#rows[user] as number;
    const place = this.#numbers[row + PLACE] as number;
    const id = this.#numbers[row + LAST_ID] as number;
    if (Number.isNaN(id) || place === this.#footprints.end(user)) return;
    this.#times[place] = this.#numbers[row + LAST_TIME] as number;
    this.#ids[place] = id;
  }

  /** The place of the user's first footprint after this event. */
  #placeOf(user: number, time: number, id: number): number {
    const start = this.#footprints.start(user);
    const end = this.#footprints.end(user);
    let place = this.#numbers[(this.#rows[user] as number) + PLACE] as number;
    while (place < end && this.#footprints.comesBefore(place, time, id)) place++;
    while (place > start && !this.#footprints.comesBefore(place - 1, time, id)) place--;
    return place;
  }

  #goTo(user: number, place: number): void {
    const footprints = this.#footprints;
    const row = this.#rows[user] as number;
    const isInside = place < footprints.end(user);
    const isKnown = isInside && this.#times[place] !== Number.NEGATIVE_INFINITY;
    const before = place > footprints.start(user) ? footprints.time(place - 1) : Number.NEGATIVE_INFINITY;
    this.#numbers[row + PLACE] = place;
    this.#numbers[row + NEXT_TIME] = isInside ? footprints.time(place) : Number.POSITIVE_INFINITY;
    this.#numbers[row + LAST_TIME] = isKnown ? (this.#times[place] as number) : before;
    this.#numbers[row + LAST_ID] = isKnown ? (this.#ids[place] as number) : Number.NaN;
  }

  /** To be called after the last addition. */
  finish(users: number): void {
    for (let user = 1; user <= users; user++) {
      if (this.#footprints.start(user) < this.#footprints.end(user)) this.#keep(user);
    }
  }

  /** The event between the one at a place and its predecessor, if there is any. */
  before(place: number, steps: number): Footprint | undefined {
    const occurred_at = this.#times[place] as number;
    if (occurred_at === Number.NEGATIVE_INFINITY) return undefined;
    return { id: this.#ids[place] as number, occurred_at, steps };
  }
}
