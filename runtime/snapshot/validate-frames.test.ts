/** Rows 8, 11, 12, 14, 15 of the catalogue of bad input: state that the module at hand cannot have pushed. */

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  codeOf,
  sampleFrames,
  sampleMap,
  sampleModule,
  sampleSnapshot,
  sampleState,
  streamOf,
} from '../../fixtures/snapshots/samples.js';
import type { ModuleAtHand, Snapshot } from './index.js';
import { validateFrames, validateSnapshot } from './index.js';

const [main = [], work = [], inner = []] = sampleFrames;
const host = [5, 0, 0, 0, 0, 0, 0, 0];

const refusal = (words: Uint32Array, entry = '_start'): { code: unknown; message: string } => {
  try {
    validateFrames(words, sampleMap, entry);
  } catch (error) {
    return error instanceof Error && 'code' in error
      ? { code: error.code, message: error.message }
      : { code: error, message: '' };
  }
  return { code: 'nothing was thrown', message: '' };
};
const frames = (...list: (readonly number[])[]): { code: unknown; message: string } => refusal(streamOf(list));

describe('a stream that fits its map', () => {
  const stack = validateFrames(streamOf(sampleFrames), sampleMap, '_start');

  test('gives its frames outermost first, with exact values', () => {
    expect(stack.frames.map(({ point, kind, function: fn }) => [point, kind, fn.name])).toEqual([
      [1, 'call', 'main'],
      [4, 'call', 'work'],
      [3, 'loop', 'work'],
    ]);
    expect(stack.frames.map((frame) => frame.slots)).toEqual([
      [
        { name: 'n', live: true, type: 'i32', value: -2 },
        { name: 'sum', live: true, type: 'i64', value: '-9223372036854775803' },
      ],
      [
        { name: 'f', live: true, type: 'f32', bits: '0x7fa00001', value: 'NaN' },
        { name: 'd', live: false, type: 'f64', bits: '0x0000000000000000', value: '0' },
        { name: 'v', live: false, type: 'v128', value: `0x${'0'.repeat(32)}` },
      ],
      [
        { name: 'f', live: true, type: 'f32', bits: '0x80000000', value: '-0' },
        { name: 'd', live: true, type: 'f64', bits: '0x3ff8000000000000', value: '1.5' },
        { name: 'v', live: true, type: 'v128', value: '0x00000004000000030000000200000001' },
      ],
    ]);
  });

  test('gives the state of the module', () => {
    expect(stack.counter).toBe(77);
    expect(stack.globals).toEqual([
      { name: 'heap', live: true, type: 'i32', value: 4096 },
      { name: 'seed', live: true, type: 'i64', value: '81985529216486895' },
    ]);
    expect(stack.droppedSegments).toEqual([0]);
  });

  test('can wait in a host call, be called through a table, be of any export, be of one frame', () => {
    const fine = { code: 'nothing was thrown', message: '' };
    expect(frames(main, work, host)).toEqual(fine);
    expect(frames([2, 0, 0, 0], [6])).toEqual(fine);
    expect(frames([0, 0, 0, 0])).toEqual(fine);
    expect(refusal(streamOf([work, inner]), 'step')).toEqual(fine);
  });

  test('can be of the start function, which the map need not list', () => {
    expect(refusal(streamOf([work, inner]), 'mvvm.start').code).toBe('nothing was thrown');
    expect(refusal(streamOf([[6]]), 'mvvm.start').code).toBe('snapshot/frames');
  });
});

describe('a stream is refused', () => {
  test.each<[string, { code: unknown; message: string }, string]>([
    ['with a point that does not exist', frames([7]), 'stable point 7'],
    ['with a point of 2^32-1', frames([0xffffffff]), 'stable point 4294967295'],
    ['whose innermost frame waits in a call', frames(main), 'the innermost frame waits in a call, in main'],
    ['whose outer frame does not', frames([0, 0, 0, 0], inner), 'at a point of kind "entry"'],
    ['whose outer frame is at a loop', frames(main, inner, inner), 'at a point of kind "loop"'],
    ['whose direct call is to another function', frames(main, [6]), 'main does not call leaf at point 1'],
    ['whose indirect call has another signature', frames([2, 0, 0, 0], inner), 'main does not call work at point 2'],
    ['whose outermost frame is not the entry', frames(inner), 'is not the entry "_start"'],
    ['with too few slots', frames(main, inner.slice(0, -1)), 'needs 7 words, 6 are left'],
    ['with too many', frames(main, [...inner, 1]), '1 words belong to none'],
    [
      'with fewer frames than claimed',
      refusal(streamOf(sampleFrames, sampleState, 4)),
      'frame 2 is at a point of kind "loop"',
    ],
    ['with more', refusal(streamOf(sampleFrames, sampleState, 2)), 'the innermost frame waits in a call'],
    ['with none', refusal(streamOf([])), 'there is none'],
    ['with 10^9 claimed', refusal(streamOf(sampleFrames, sampleState, 1e9)), '1000000000 are claimed'],
    ['with a dead slot that is not zero', frames(main, [4, 0, 0, 1, 0, 0, 0, 0], inner), 'slot d of frame 1, of work'],
    ['with a dead slot whose last word is not', frames(main, [5, 0, 0, 0, 0, 0, 0, 9]), 'slot v of frame 1, of work'],
    ['with a dropped flag of 2', refusal(streamOf(sampleFrames, [...sampleState.slice(0, -1), 2])), 'dropped flag 2'],
    ['with a global too few', refusal(streamOf(sampleFrames, sampleState.slice(1))), ''],
    ['with a global too many', refusal(streamOf(sampleFrames, [0, ...sampleState])), ''],
    ['of no words', refusal(new Uint32Array()), 'ends before the frames'],
    ['of an unknown entry', refusal(streamOf(sampleFrames), 'main'), 'the entry "main" is no export'],
  ])('%s', (_, { code, message }, why) => {
    expect(['snapshot/frames', 'snapshot/state']).toContain(code);
    expect(message).toContain(why);
  });

  test('cut off anywhere', () => {
    const words = streamOf(sampleFrames);
    for (let length = 0; length < words.length; length++) {
      expect(['snapshot/frames', 'snapshot/state']).toContain(refusal(words.subarray(words.length - length)).code);
      expect(['snapshot/frames', 'snapshot/state']).toContain(refusal(words.subarray(0, length)).code);
    }
  });

  test('or accepted, whatever its words are, and nothing else happens', () => {
    const word = fc.oneof(fc.nat(8), fc.nat(0xffffffff));
    fc.assert(
      fc.property(fc.array(word, { maxLength: 40 }), (words) => {
        expect(['snapshot/frames', 'snapshot/state', 'nothing was thrown']).toContain(
          refusal(Uint32Array.from(words)).code,
        );
      }),
      { numRuns: 3000 },
    );
  });
});

describe('a snapshot and a module', () => {
  const check = (changes: Partial<Snapshot>, module: Partial<ModuleAtHand> = {}): unknown =>
    codeOf(() => validateSnapshot(sampleSnapshot(changes), { ...sampleModule, ...module }));
  const made = sampleSnapshot().module;

  test('that belong together are accepted', () => {
    expect(check({})).toBe('nothing was thrown');
  });

  test('of another hash are refused, naming both', () => {
    const other = { ...sampleModule, hash: 'c'.repeat(64) };
    expect(() => validateSnapshot(sampleSnapshot(), other)).toThrow(
      `was made by the module with SHA-256 ${'a'.repeat(64)}, this module has ${'c'.repeat(64)}`,
    );
  });

  test('of another original, ABI, compiler, policy or threshold are refused', () => {
    const others: Partial<Snapshot['module']>[] = [
      { original: 'd'.repeat(64) },
      { abi: 1 },
      { compiler: '0.2.0' },
      { policies: ['loop-checkpoint', 'function-checkpoint'] },
      { thresholdBits: 15 },
    ];
    for (const other of others) expect(check({ module: { ...made, ...other } })).toBe('snapshot/other-module');
  });

  test('that differ in memories, tables, elements or exports are refused', () => {
    expect(check({ memories: [] })).toBe('snapshot/state');
    expect(check({ tables: [] })).toBe('snapshot/state');
    expect(check({ tables: [Int32Array.of(4)] })).toBe('snapshot/state');
    expect(check({ following: ['nowhere'] })).toBe('snapshot/state');
    expect(check({ point: 4 })).toBe('snapshot/frames');
  });
});
