/** Sources of random bytes: the host's, or a seeded one that gives the same bytes in every run. */

/** State of a seeded generator: four 32-bit words, not all zero. `null` for a source that has none. */
export type RandomState = readonly [number, number, number, number] | null;

export interface RandomSource {
  fill(bytes: Uint8Array): void;
  /** What a snapshot keeps. */
  save(): RandomState;
  /** Continues from a saved state; a source of fresh randomness ignores it, so each restored copy differs. */
  load(state: RandomState): void;
}

/** The Web Crypto function fills at most so many bytes at once. */
const largestFill = 65_536;

/** Fresh randomness, fit for secrets. */
export function systemRandom(): RandomSource {
  return {
    fill(bytes) {
      for (let at = 0; at < bytes.length; at += largestFill) {
        // The memory of a guest may be shared, which Web Crypto refuses: the bytes go through a buffer of our own.
        const part = new Uint8Array(Math.min(largestFill, bytes.length - at));
        bytes.set(crypto.getRandomValues(part), at);
      }
    },
    save: () => null,
    load: () => undefined,
  };
}

/** xoshiro128** seeded through splitmix32. Not fit for secrets. Each fill begins with a whole word. */
export function seededRandom(seed: number): RandomSource {
  let [a, b, c, d] = wordsFromSeed(seed);
  const rotate = (word: number, by: number): number => ((word << by) | (word >>> (32 - by))) >>> 0;
  const next = (): number => {
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = (b << 9) >>> 0;
    c = (c ^ a) >>> 0;
    d = (d ^ b) >>> 0;
    b = (b ^ c) >>> 0;
    a = (a ^ d) >>> 0;
    c = (c ^ shifted) >>> 0;
    d = rotate(d, 11);
    return result;
  };
  return {
    fill(bytes) {
      for (let at = 0; at < bytes.length; at += 4) {
        const word = next();
        for (let byte = 0; byte < 4 && at + byte < bytes.length; byte++) bytes[at + byte] = word >>> (byte * 8);
      }
    },
    save: () => [a, b, c, d],
    load(state) {
      if (state !== null) [a, b, c, d] = state;
    },
  };
}

function wordsFromSeed(seed: number): [number, number, number, number] {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x9e3779b9) >>> 0;
    let word = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    word = Math.imul(word ^ (word >>> 15), 0x735a2d97);
    return (word ^ (word >>> 15)) >>> 0;
  };
  return [next(), next(), next(), next()];
}
