import { describe, expect, test } from '@jest/globals';
import { errno } from './errno.js';
import { createWasi, inputOf, outputTo } from './index.js';
import { rootFd, testOptions, WasiGuest } from './wasi-guest.test.support.js';

/** An address of which no byte is in the guest's memory of two pages, and one behind which there are only two bytes. */
const outside = 131_072;
const edge = outside - 2;

type Arguments = readonly (number | bigint)[];

/** For each call that takes an address: its arguments, given good addresses and one bad. `4` is an open file. */
const calls: readonly [string, (good: number, bad: number) => readonly Arguments[]][] = [
  [
    'args_get',
    (good, bad) => [
      [bad, good],
      [good, bad],
    ],
  ],
  [
    'args_sizes_get',
    (good, bad) => [
      [bad, good],
      [good, bad],
    ],
  ],
  [
    'environ_get',
    (good, bad) => [
      [bad, good],
      [good, bad],
    ],
  ],
  [
    'environ_sizes_get',
    (good, bad) => [
      [bad, good],
      [good, bad],
    ],
  ],
  ['clock_res_get', (_, bad) => [[1, bad]]],
  ['clock_time_get', (_, bad) => [[1, 0n, bad]]],
  ['random_get', (_, bad) => [[bad, 8]]],
  [
    'fd_read',
    (good, bad) => [
      [4, bad, 1, good],
      [4, good, 1, bad],
    ],
  ],
  [
    'fd_write',
    (good, bad) => [
      [4, bad, 1, good],
      [4, good, 1, bad],
    ],
  ],
  [
    'fd_pread',
    (good, bad) => [
      [4, bad, 1, 0n, good],
      [4, good, 1, 0n, bad],
    ],
  ],
  [
    'fd_pwrite',
    (good, bad) => [
      [4, bad, 1, 0n, good],
      [4, good, 1, 0n, bad],
    ],
  ],
  ['fd_seek', (_, bad) => [[4, 1n, 0, bad]]],
  ['fd_tell', (_, bad) => [[4, bad]]],
  ['fd_prestat_get', (_, bad) => [[rootFd, bad]]],
  ['fd_prestat_dir_name', () => [[rootFd, outside, 1]]],
  ['fd_fdstat_get', (_, bad) => [[4, bad]]],
  ['fd_filestat_get', (_, bad) => [[4, bad]]],
  [
    'fd_readdir',
    (good, bad) => [
      [rootFd, bad, 64, 0n, good],
      [rootFd, good, 64, 0n, bad],
    ],
  ],
  [
    'path_open',
    (good, bad) => [
      [rootFd, 0, bad, 4, 1, 2n, 0n, 0, good],
      [rootFd, 0, good, 3, 1, 2n, 0n, 0, bad],
    ],
  ],
  ['path_create_directory', (_, bad) => [[rootFd, bad, 4]]],
  ['path_remove_directory', (_, bad) => [[rootFd, bad, 4]]],
  ['path_unlink_file', (_, bad) => [[rootFd, bad, 4]]],
  [
    'path_symlink',
    (good, bad) => [
      [bad, 4, rootFd, good, 3],
      [good, 3, rootFd, bad, 4],
    ],
  ],
  [
    'path_readlink',
    (good, bad) => [
      [rootFd, bad, 4, good, 8, good],
      [rootFd, good, 3, bad, 8, good],
      [rootFd, good, 3, good, 8, bad],
    ],
  ],
  [
    'path_link',
    (good, bad) => [
      [rootFd, 0, bad, 4, rootFd, good, 3],
      [rootFd, 0, good, 3, rootFd, bad, 4],
    ],
  ],
  [
    'path_rename',
    (good, bad) => [
      [rootFd, bad, 4, rootFd, good, 3],
      [rootFd, good, 3, rootFd, bad, 4],
    ],
  ],
  [
    'path_filestat_get',
    (good, bad) => [
      [rootFd, 0, bad, 4, good],
      [rootFd, 0, good, 3, bad],
    ],
  ],
  ['path_filestat_set_times', (_, bad) => [[rootFd, 0, bad, 4, 0n, 0n, 0]]],
  [
    'poll_oneoff',
    (good, bad) => [
      [bad, good, 1, good],
      [good, bad, 1, good],
      [good, good, 1, bad],
    ],
  ],
];

describe.each(calls)('%s', (name, argumentsOf) => {
  test('gives EFAULT for addresses outside the memory, and does nothing', () => {
    let output = '';
    const stdio = {
      stdin: inputOf(Uint8Array.of(1, 2, 3)),
      stdout: outputTo((bytes) => {
        output += String(bytes);
      }),
      stderr: outputTo(() => undefined),
    };
    const g = new WasiGuest(createWasi(testOptions({ env: ['KEY=value'], stdio }, { file: 'contents' })));
    const file = g.open('file');
    const [good] = g.path('new');
    const before = g.list(rootFd).names;
    // -8 and 0xfffffff8 are the same address: one that the sum with a length must not bring back into the memory.
    for (const bad of [outside, edge, -8, 0xfffffff8]) {
      for (const args of argumentsOf(good, bad)) expect([args, g.call(name, ...args)]).toEqual([args, errno.fault]);
    }
    expect(g.list(rootFd).names).toEqual(before);
    expect(g.tell(file)).toBe(0);
    expect(g.contents('file')).toBe('contents');
    expect(output).toBe('');
  });
});

describe('lists of buffers', () => {
  test('with one that is outside are refused before any is used', () => {
    const g = new WasiGuest(createWasi(testOptions({}, { file: 'contents' })));
    const file = g.open('file');
    const list = g.room(16);
    const result = g.room(4);
    for (const [address, length] of [
      [outside, 1],
      [edge, 3],
      [0xffffffff, 1],
      [16, 0xffffffff],
    ] as const) {
      g.view.setUint32(list, 512, true);
      g.view.setUint32(list + 4, 4, true);
      g.view.setUint32(list + 8, address, true);
      g.view.setUint32(list + 12, length, true);
      expect(g.call('fd_read', file, list, 2, result)).toBe(errno.fault);
      expect(g.call('fd_write', file, list, 2, result)).toBe(errno.fault);
    }
    expect(g.tell(file)).toBe(0);
    expect(g.contents('file')).toBe('contents');
    expect(g.call('fd_read', file, list, -1, result)).toBe(errno.inval);
  });

  test('that reach exactly to the end of the memory are good', () => {
    const g = new WasiGuest(createWasi(testOptions({}, { file: 'contents' })));
    g.must('fd_read', g.open('file'), ...g.buffer(outside - 8, 8), g.room(4));
    expect(g.text(outside - 8, 8)).toBe('contents');
  });
});

test('a memory that grew is seen at its new size', () => {
  const g = new WasiGuest(createWasi(testOptions()));
  expect(g.call('random_get', outside, 8)).toBe(errno.fault);
  g.memory.grow(1);
  g.must('random_get', outside, 8);
  expect(g.bytes(outside, 8).some((byte) => byte !== 0)).toBe(true);
});

test('every write to the memory is reported', () => {
  const written: [number, number][] = [];
  const options = testOptions({ onMemoryWrite: (address, length) => written.push([address, length]) }, { file: 'abc' });
  const g = new WasiGuest(createWasi(options));
  const before = g.bytes(0, outside).slice();
  const file = g.open('file');
  g.read(file, 64);
  g.time(1);
  g.must('random_get', 2048, 100);
  g.must('fd_fdstat_get', file, 4096);
  g.must('fd_filestat_get', file, 4200);
  g.list(rootFd);
  g.must('args_get', 5000, 5100);
  const after = g.bytes(0, outside).slice();
  const reported = new Set(written.flatMap(([at, length]) => Array.from({ length }, (_, i) => at + i)));
  const guestsOwn = (at: number): boolean => at >= 1024 && at < 1400;
  const missing = [...after.keys()].filter((at) => after[at] !== before[at] && !reported.has(at) && !guestsOwn(at));
  expect(missing).toEqual([]);
  expect(written).toContainEqual([2048, 100]);
});
