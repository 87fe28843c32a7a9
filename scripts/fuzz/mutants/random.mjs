// Seeded random choices: a mutant is determined by its seed and number.

/** Integers at which readers break: powers of two, their neighbours, and signs. */
const ODD_INTEGERS = [
  0,
  1,
  -1,
  2,
  3,
  4,
  7,
  8,
  63,
  64,
  127,
  128,
  255,
  256,
  1000,
  65535,
  65536,
  100_000_000,
  2 ** 31 - 1,
  2 ** 31,
  -(2 ** 31),
  2 ** 32 - 1,
  2 ** 32,
  2 ** 40,
  2 ** 53 - 1,
  2 ** 53,
];

export class Random {
  #state;

  constructor(seed, number = 0) {
    this.#state = (Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(number + 1, 0xc2b2ae35)) >>> 0;
    for (let i = 0; i < 4; i++) this.next();
  }

  /** From 0 to less than 1 (mulberry32). */
  next() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** An integer from 0 to less than `end`. */
  int(end) {
    return Math.floor(this.next() * end);
  }

  between(first, last) {
    return first + this.int(last - first + 1);
  }

  chance(probability) {
    return this.next() < probability;
  }

  pick(list) {
    return list[this.int(list.length)];
  }

  /** A number near the start more often than near the end: for sizes. */
  small(end) {
    return Math.floor(end * this.next() ** 3);
  }

  oddInteger() {
    return this.pick(ODD_INTEGERS);
  }

  /** One of `choices` ([weight, value]) with a probability in proportion to its weight. */
  weighted(choices) {
    let at = this.next() * choices.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, value] of choices) {
      at -= weight;
      if (at < 0) return value;
    }
    return choices.at(-1)[1];
  }

  bytes(length) {
    return Buffer.from(Array.from({ length }, () => this.int(256)));
  }
}
