/**
 * Row 6 of the catalogue of bad input: a right digest over wrong content. Snapshots are taken apart, changed where
 * their structure says it hurts, sealed again, and read. The reader must accept or refuse with a code of its own;
 * anything else (another error, a hang, a state that does not fit its module) is a fault.
 *
 *   MVVM_MUTATIONS=100000 npx jest dist/runtime/snapshot/mutations    how many; MVVM_SEED=n repeats a run
 */

import { expect, test } from '@jest/globals';
import {
  contentOf,
  type LooseSection,
  plainSection,
  putTogether,
  takeApart,
} from '../../fixtures/snapshots/dissect.js';
import { collect, memoryWith, sampleModule, sampleSnapshot } from '../../fixtures/snapshots/samples.js';
import { nodeCodecs, nodeHasher } from '../node/snapshot-file-services.js';
import { decodeSnapshotChain, encodeSnapshot, snapshotErrorCodes, validateSnapshot } from './index.js';

const count = Number(process.env['MVVM_MUTATIONS'] ?? 4000);
const seed = Number(process.env['MVVM_SEED'] ?? 1);

/** mulberry32: small, seeded, good enough to choose by. */
class Dice {
  #state: number;

  constructor(state: number) {
    this.#state = state;
  }

  below(end: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let value = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) % end;
  }

  of<T>(choices: readonly [T, ...T[]]): T {
    return choices[this.below(choices.length)] ?? choices[0];
  }

  /** Numbers at which counts, sizes and indices break. */
  edge(): number {
    return this.of([
      0,
      1,
      2,
      3,
      7,
      8,
      15,
      16,
      17,
      255,
      4096,
      65_535,
      65_536,
      2 ** 20,
      2 ** 31 - 1,
      2 ** 31,
      2 ** 32 - 1,
    ]);
  }
}

const sample = sampleSnapshot({ memories: [memoryWith(2, { 4096: [1], 20000: [2], 90000: [3] })] });
const base = collect(encodeSnapshot(sample)).bytes;
const zipped = collect(encodeSnapshot(sample, { compression: 'gzip', codecs: nodeCodecs })).bytes;
const { digest } = collect(encodeSnapshot(sample)).result;
const delta = collect(
  encodeSnapshot(sample, { delta: { parent: digest, changed: [[{ first: 0, count: 32 }]] } }),
).bytes;

/** A number of a little-endian array set to an edge, moved by one, or another. */
function changeWord(content: Uint8Array, dice: Dice): Uint8Array {
  const changed = content.slice();
  if (changed.length < 4) return changed;
  const view = new DataView(changed.buffer);
  // The first words are counts and run tables; changes there matter most.
  const words = Math.floor(changed.length / 4);
  const at = 4 * dice.below(dice.below(2) === 0 ? Math.min(words, 16) : words);
  const old = view.getUint32(at, true);
  view.setUint32(at, dice.of([dice.edge(), old + 1, old - 1, dice.below(2 ** 32)]), true);
  return changed;
}

function changeText(content: Uint8Array, dice: Dice): Uint8Array {
  const text = Buffer.from(content).toString();
  const odd = dice.of<number | string>([-1, 1.5, 1e308, '1e999', 2 ** 53, 'null', '"x"', '[]']);
  const number = String(dice.below(3) === 0 ? odd : dice.edge());
  // Numbers are few among the tokens, and what matters most: half of the changes are to them.
  const tokens = [...text.matchAll(dice.below(2) === 0 ? /(?<=[:[,])\d+/g : /\d+|"[^"]*"|[[\]{},:]/g)];
  const token = tokens[dice.below(tokens.length)];
  const [start, end] = token === undefined ? [0, 0] : [token.index, token.index + token[0].length];
  const replacement = dice.of([
    '',
    number,
    number,
    token?.[0].repeat(2) ?? '',
    '"__proto__":1,',
    '"point":1,',
    '{',
    '[',
    '"_start"',
  ]);
  return new Uint8Array(Buffer.from(text.slice(0, start) + replacement + text.slice(end)));
}

function changeContent(section: LooseSection, dice: Dice): LooseSection {
  const content = contentOf(section);
  const change = section.id === 'HEAD' || section.id === 'WASI' ? changeText : changeWord;
  const resized = dice.below(6) === 0 ? content.slice(0, dice.below(content.length + 1)) : change(content, dice);
  return plainSection(section.id, resized);
}

const mutations: readonly [
  (sections: LooseSection[], at: number, dice: Dice) => void,
  ...((sections: LooseSection[], at: number, dice: Dice) => void)[],
] = [
  (sections, at, dice) => {
    const section = sections[at];
    if (section !== undefined) sections[at] = changeContent(section, dice);
  },
  (sections, at) => sections.splice(at, 1),
  (sections, at, dice) => sections.splice(dice.below(sections.length + 1), 0, ...sections.slice(at, at + 1)),
  (sections, at, dice) => {
    Object.assign(sections[at] ?? {}, { id: dice.of(['HEAD', 'WASI', 'WORD', 'TABL', 'MEMO', 'END ', 'NOTE']) });
  },
  (sections, at, dice) => {
    Object.assign(sections[at] ?? {}, { flags: dice.of([0, 1, 2, 2 ** 31, 2 ** 32 - 1]) });
  },
  (sections, at, dice) => {
    const size = sections[at]?.size ?? 0n;
    Object.assign(sections[at] ?? {}, {
      size: dice.of([size + 1n, size - 1n, BigInt(dice.edge()), 2n ** 40n, 2n ** 64n - 1n]),
    });
  },
  (sections, at, dice) => {
    const block = sections[at]?.blocks[0];
    if (block !== undefined) block.stored = dice.of([block.stored + 1, block.stored - 1, dice.edge()]);
  },
  (sections, at, dice) => {
    const block = sections[at]?.blocks[0];
    if (block !== undefined) block.method = dice.of([0, 1, 2, 3, dice.edge()]);
  },
  (sections, at, dice) => {
    const block = sections[at]?.blocks[0];
    if (block !== undefined) block.bytes = changeWord(block.bytes, dice);
  },
];

function mutate(bytes: Uint8Array, dice: Dice): Uint8Array {
  const parts = takeApart(bytes);
  const rounds = 1 + dice.below(3);
  for (let round = 0; round < rounds; round++) {
    if (dice.below(40) === 0) parts.preamble = changeWord(parts.preamble, dice);
    // Content is where the structure hides: change it as often as everything around it.
    const mutation = dice.below(2) === 0 ? mutations[0] : dice.of(mutations);
    mutation(parts.sections, dice.below(parts.sections.length), dice);
  }
  return putTogether(parts);
}

const limits = { memories: 4, memoryPages: 64, words: 100_000, tables: 4, tableElements: 100_000, wasiBytes: 100_000 };

function outcomeOf(links: Uint8Array[]): string {
  try {
    const snapshot = decodeSnapshotChain(links, { limits, hasher: nodeHasher, codecs: nodeCodecs });
    const stack = validateSnapshot(snapshot, sampleModule);
    return stack.frames.length > 0 ? 'accepted' : 'accepted without frames';
  } catch (error) {
    if (typeof error === 'object' && error !== null && 'code' in error) return String(error.code);
    return `untyped: ${error instanceof Error ? error.stack : String(error)}`;
  }
}

test(`${count} mutations under a right digest are accepted or refused by a code, and nothing else`, () => {
  const allowed = new Set(['accepted', ...Object.keys(snapshotErrorCodes)]);
  const outcomes = new Map<string, number>();
  for (let index = 0; index < count; index++) {
    const dice = new Dice(seed + index);
    const links = dice.of([
      () => [mutate(base, dice)],
      () => [mutate(zipped, dice)],
      () => [base, mutate(delta, dice)],
    ])();
    const outcome = outcomeOf(links);
    if (!allowed.has(outcome)) throw new Error(`MVVM_SEED=${seed + index} MVVM_MUTATIONS=1: ${outcome}`);
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
  if (count > 4000) process.stderr.write(`${JSON.stringify(Object.fromEntries(outcomes))}\n`);
  // The mutations reach every layer of the checks, and are not all refused at the first.
  if (count >= 1000) {
    for (const code of [
      'header',
      'json',
      'section',
      'malformed',
      'compression',
      'limit',
      'state',
      'frames',
      'version',
    ]) {
      expect(outcomes.has(`snapshot/${code}`) ? code : `${code} was not reached`).toBe(code);
    }
    expect(outcomes.get('accepted')).toBeGreaterThan(0);
  }
}, 3_600_000);
