/** A set of local indices of one function, as bits. */
export class LocalSet {
  readonly #words: Uint32Array;

  /** @param size number of locals of the function */
  constructor(size: number) {
    this.#words = new Uint32Array((size + 31) >>> 5);
  }

  clone(): LocalSet {
    const copy = new LocalSet(this.#words.length << 5);
    copy.#words.set(this.#words);
    return copy;
  }

  add(local: number): void {
    this.#words[local >>> 5] = (this.#words[local >>> 5] ?? 0) | (1 << (local & 31));
  }

  delete(local: number): void {
    this.#words[local >>> 5] = (this.#words[local >>> 5] ?? 0) & ~(1 << (local & 31));
  }

  has(local: number): boolean {
    return ((this.#words[local >>> 5] ?? 0) & (1 << (local & 31))) !== 0;
  }

  /** Adds all of `other`; tells whether that changed anything. */
  addAll(other: LocalSet): boolean {
    let changed = false;
    for (const [index, word] of other.#words.entries()) {
      const before = this.#words[index] ?? 0;
      const after = (before | word) >>> 0;
      if (after !== before) {
        this.#words[index] = after;
        changed = true;
      }
    }
    return changed;
  }

  /** Makes this set equal to `other`. */
  assign(other: LocalSet): void {
    this.#words.set(other.#words);
  }

  clear(): void {
    this.#words.fill(0);
  }

  /** The members, ascending. */
  *[Symbol.iterator](): Generator<number> {
    for (const [index, bits] of this.#words.entries()) {
      for (let rest = bits; rest !== 0; rest &= rest - 1) yield (index << 5) + (31 - Math.clz32(rest & -rest));
    }
  }
}
