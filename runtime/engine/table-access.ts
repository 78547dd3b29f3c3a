/**
 * A table by numbers, whether its addresses have 32 or 64 bits: the latter are bigints to JavaScript, which its declarations
 * do not know, and tell by their length.
 */
export class TableAccess {
  readonly #table: WebAssembly.Table;
  readonly #is64: boolean;

  constructor(table: WebAssembly.Table) {
    const length: unknown = table.length;
    this.#table = table;
    this.#is64 = typeof length === 'bigint';
  }

  get length(): number {
    return Number(this.#table.length);
  }

  get(index: number): unknown {
    return this.#is64 ? Reflect.apply(this.#table.get, this.#table, [BigInt(index)]) : this.#table.get(index);
  }

  /** Whether any element is like that. */
  some(isLike: (value: unknown) => boolean): boolean {
    const { length } = this;
    for (let index = 0; index < length; index++) {
      if (isLike(this.get(index))) return true;
    }
    return false;
  }

  set(index: number, value: unknown): void {
    if (this.#is64) Reflect.apply(this.#table.set, this.#table, [BigInt(index), value]);
    else this.#table.set(index, value);
  }

  /** Adds elements, null at first. */
  grow(by: number): void {
    if (this.#is64) Reflect.apply(this.#table.grow, this.#table, [BigInt(by)]);
    else this.#table.grow(by);
  }
}
