import { describe, expect, test } from '@jest/globals';
import type { ModuleInfo, StableMap } from '../runtime/abi/index.js';
import { makeReport, sha256 } from './report.js';

const info: ModuleInfo = {
  abi: 1,
  compiler: '1.2.3',
  original: 'ab'.repeat(32),
  policies: ['function-checkpoint', 'counter-loop-checkpoint'],
  thresholdBits: 4,
};

const signature = { params: [], results: [] };
const map: StableMap = {
  functions: [
    {
      name: 'main',
      originalIndex: 7,
      signature,
      slots: [
        { name: 'i', type: 'i32' },
        { name: 'x', type: 'f64' },
      ],
      firstPoint: 0,
      points: [
        { kind: 'entry', ordinal: 0, live: [] },
        { kind: 'loop', ordinal: 0, live: [0] },
        { kind: 'loop', ordinal: 1, live: [0, 1] },
        { kind: 'call', ordinal: 0, live: [1], callee: { kind: 'direct', function: 1 } },
      ],
    },
    {
      name: 'leaf',
      originalIndex: -1,
      signature,
      slots: [],
      firstPoint: 4,
      points: [{ kind: 'entry', ordinal: 0, live: [] }],
    },
  ],
  exports: [],
  globals: [],
  droppableSegments: [],
  memories: [],
  tables: [],
  referableFunctions: 0,
};

const wasm = Uint8Array.of(1, 2, 3);
const report = makeReport({
  info,
  map,
  optimiser: {
    name: 'binaryen',
    version: '132',
    load: () => {
      throw new Error('a report loads nothing');
    },
  },
  originalBytes: 100,
  wasm,
  passes: [{ name: 'lowering', milliseconds: 2 }],
  milliseconds: 5,
});

describe('a report', () => {
  test('counts points by kind and in all', () => {
    expect(report.points).toEqual({ total: 5, entry: 2, loop: 2, call: 1, host: 0, branch: 0, instruction: 0 });
  });

  test('counts the points of each policy', () => {
    expect(report.policies).toEqual([
      { name: 'function-checkpoint', kind: 'entry', points: 2 },
      { name: 'counter-loop-checkpoint', kind: 'loop', points: 2 },
    ]);
  });

  test('counts points and slots of each function', () => {
    expect(
      report.functions.map(({ name, originalIndex, slots, points }) => [name, originalIndex, slots, points.loop]),
    ).toEqual([
      ['main', 7, 2, 2],
      ['leaf', -1, 0, 0],
    ]);
  });

  test('has sizes and hashes before and after', () => {
    expect(report.before).toEqual({ bytes: 100, sha256: info.original });
    expect(report.after).toEqual({ bytes: 3, sha256: sha256(wasm) });
    expect(report.after.sha256).toBe('039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81');
  });

  test('says who optimised and what took how long', () => {
    expect(report).toMatchObject({
      compiler: '1.2.3',
      optimiser: { name: 'binaryen', version: '132' },
      thresholdBits: 4,
      passes: [{ name: 'lowering', milliseconds: 2 }],
      milliseconds: 5,
    });
  });
});
