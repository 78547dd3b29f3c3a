/**
 * JSON without the latitude of `JSON.parse`: no duplicate keys, no `__proto__`, no nesting and no number of
 * values beyond a cap, no number that overflows, no unpaired surrogates. So every reader in every language sees the same
 * value, and a hostile text costs no more than its length.
 */

import { JSON_DEPTH, JSON_VALUES } from './format.js';

/** Why a text was refused; the caller says of what it was a part. */
export class StrictJsonError extends Error {
  override name = 'StrictJsonError';
}

const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const word = /true|false|null/y;
const words: ReadonlyMap<string, boolean | null> = new Map([
  ['true', true],
  ['false', false],
  ['null', null],
]);
/** What makes a string more than the characters that stand there. */
const special = /[^ -~]|\\/;
const unpairedSurrogate = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

/** @throws {StrictJsonError} */
export function parseStrictJson(text: string): unknown {
  const parser = new Parser(text);
  const value = parser.value(0);
  parser.end();
  return value;
}

class Parser {
  readonly #text: string;
  #at = 0;
  #values = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): unknown {
    if (depth > JSON_DEPTH) throw new StrictJsonError(`nested deeper than ${JSON_DEPTH} levels`);
    this.#values += 1;
    if (this.#values > JSON_VALUES) throw new StrictJsonError(`more than ${JSON_VALUES} values`);
    const next = this.#peek();
    if (next === '{') return this.#object(depth);
    if (next === '[') return this.#array(depth);
    if (next === '"') return this.#string();
    const literal = this.#match(word);
    if (literal !== undefined) return words.get(literal);
    const value = Number(this.#match(number) ?? this.#fail('a value'));
    if (!Number.isFinite(value)) throw new StrictJsonError('a number is too large');
    return value;
  }

  end(): void {
    if (this.#peek() !== '') this.#fail('the end');
  }

  #object(depth: number): object {
    const members: Record<string, unknown> = {};
    this.#items('{', '}', () => {
      if (this.#peek() !== '"') this.#fail('a key');
      const key = this.#string();
      if (key === '__proto__') throw new StrictJsonError('a key is "__proto__"');
      if (Object.hasOwn(members, key)) {
        throw new StrictJsonError(`the key ${JSON.stringify(key.slice(0, 80))} stands twice`);
      }
      this.#expect(':');
      members[key] = this.value(depth + 1);
    });
    return members;
  }

  #array(depth: number): unknown[] {
    const items: unknown[] = [];
    this.#items('[', ']', () => items.push(this.value(depth + 1)));
    return items;
  }

  #items(open: string, close: string, readItem: () => void): void {
    this.#expect(open);
    if (this.#peek() !== close) {
      readItem();
      while (this.#peek() === ',') {
        this.#expect(',');
        readItem();
      }
    }
    this.#expect(close);
  }

  #string(): string {
    const token = this.#text.slice(this.#at, this.#endOfString());
    if (!special.test(token)) {
      this.#at += token.length;
      return token.slice(1, -1);
    }
    let parsed: unknown;
    try {
      parsed = JSON.parse(token);
    } catch {
      this.#fail('a string');
    }
    if (typeof parsed !== 'string' || unpairedSurrogate.test(parsed)) {
      throw new StrictJsonError('a string holds half a surrogate pair');
    }
    this.#at += token.length;
    return parsed;
  }

  /** Behind the first quote that no odd number of backslashes precedes. (A pattern would exhaust its stack here.) */
  #endOfString(): number {
    let quote = this.#text.indexOf('"', this.#at + 1);
    while (quote >= 0) {
      let before = quote - 1;
      while (this.#text.charAt(before) === '\\') before -= 1;
      if ((quote - before) % 2 === 1) return quote + 1;
      quote = this.#text.indexOf('"', quote + 1);
    }
    return this.#fail('the end of a string');
  }

  #peek(): string {
    for (;;) {
      const next = this.#text.charAt(this.#at);
      if (next !== ' ' && next !== '\n' && next !== '\t' && next !== '\r') return next;
      this.#at += 1;
    }
  }

  #expect(character: string): void {
    if (this.#peek() !== character) this.#fail(`"${character}"`);
    this.#at += 1;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found === undefined) return undefined;
    this.#at += found.length;
    return found;
  }

  #fail(expected: string): never {
    throw new StrictJsonError(`${expected} is expected at character ${this.#at}`);
  }
}
