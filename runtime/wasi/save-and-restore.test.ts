import { describe, expect, test } from '@jest/globals';
import { errno } from './errno.js';
import { fdFlag, openFlag } from './flags.js';
import {
  createMemoryDirectory,
  createWasi,
  type Preopen,
  restoreWasi,
  type Socket,
  type Wasi,
  WasiError,
  type WasiOptions,
  type WasiState,
  wasiStateSchema,
} from './index.js';
import { right } from './rights.js';
import { rootFd, testOptions, WasiGuest } from './wasi-guest.test.support.js';

/** As it comes out of a snapshot. */
function thaw(wasi: Wasi): WasiState {
  return wasiStateSchema.parse(JSON.parse(JSON.stringify(wasi.save())));
}

/** The error that an action throws; a test fails when it throws none. */
function errorOf(action: () => unknown): WasiError {
  try {
    action();
  } catch (error) {
    if (error instanceof WasiError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

function begin(options: WasiOptions): { wasi: Wasi; g: WasiGuest } {
  const wasi = createWasi(options);
  return { wasi, g: new WasiGuest(wasi) };
}

describe('a restored guest', () => {
  test('has the same numbers, offsets, flags and rights', () => {
    const options = testOptions({}, { a: '0123456789', b: 'abc', sub: { c: 'cc' } });
    const { wasi, g } = begin(options);
    const [a, b, unused] = [
      g.open('a', { rights: right.fdRead | right.fdSeek }),
      g.open('b', { fdFlags: 1 }),
      g.open('a'),
    ];
    const sub = g.open('sub', { flags: openFlag.directory });
    g.read(a, 4);
    g.must('fd_close', unused);
    g.moveTo(restoreWasi(thaw(wasi), options));
    expect(g.read(a, 3)).toBe('456');
    expect(g.write(a, 'x')).toBe(-errno.notcapable);
    expect(g.write(b, 'd')).toBe(1);
    expect(g.contents('b')).toBe('abcd');
    expect(g.open('c', {}, sub)).toBe(unused);
  });

  test('keeps renumbered and closed directories and streams as they were', () => {
    const root = createMemoryDirectory({ f: 'first' });
    const second = createMemoryDirectory({ f: 'second' });
    const preopens: Preopen[] = [
      { guest: 'one', root },
      { guest: 'two', root: second },
    ];
    const options = testOptions({ preopens });
    const { wasi, g } = begin(options);
    g.must('fd_renumber', 4, 3);
    g.must('fd_close', 0);
    g.must('fd_renumber', 1, 2);
    g.moveTo(restoreWasi(thaw(wasi), options));
    expect(g.contents('f')).toBe('second');
    expect([0, 1, 4].map((fd) => g.call('fd_fdstat_get', fd, 512))).toEqual([errno.badf, errno.badf, errno.badf]);
    expect(g.write(2, 'x')).toBe(1);
    const result = g.room(8);
    g.must('fd_prestat_get', 3, result);
    g.must('fd_prestat_dir_name', 3, result, 3);
    expect(g.text(result, 3)).toBe('two');
  });

  test('reopens without creating, truncating or excluding', () => {
    const options = testOptions();
    const { wasi, g } = begin(options);
    const fd = g.open('new', { flags: openFlag.create | openFlag.exclusive | openFlag.truncate });
    g.write(fd, 'kept');
    g.moveTo(restoreWasi(thaw(wasi), options));
    expect(g.contents('new')).toBe('kept');
    expect(g.write(fd, '!')).toBe(1);
    expect(g.contents('new')).toBe('kept!');
  });

  test('finds files that it renamed, itself or with a directory above', () => {
    const options = testOptions({}, { old: { file: 'text' }, other: 'more' });
    const { wasi, g } = begin(options);
    const [file, other] = [g.open('old/file'), g.open('other')];
    g.must('path_rename', rootFd, ...g.path('old'), rootFd, ...g.path('new'));
    g.must('path_rename', rootFd, ...g.path('other'), rootFd, ...g.path('new/moved'));
    g.moveTo(restoreWasi(thaw(wasi), options));
    expect([g.read(file, 9), g.read(other, 9)]).toEqual(['text', 'more']);
  });

  test('keeps its arguments and environment, unless it is given others', () => {
    const { wasi } = begin(testOptions({ args: ['one', 'two'], env: ['A=1'] }));
    const { args: _, env: __, ...lent } = testOptions();
    const sizes = (restored: Wasi): number[] => {
      const g = new WasiGuest(restored);
      const result = g.room(16);
      g.must('args_sizes_get', result, result + 4);
      g.must('environ_sizes_get', result + 8, result + 12);
      return [0, 4, 8, 12].map((offset) => g.view.getUint32(result + offset, true));
    };
    expect(sizes(restoreWasi(thaw(wasi), lent))).toEqual([2, 8, 1, 4]);
    expect(sizes(restoreWasi(thaw(wasi), { ...lent, args: ['x'], env: [] }))).toEqual([1, 2, 0, 0]);
    expect(sizes(restoreWasi({ ...thaw(wasi), args: null, env: null }, lent))).toEqual([0, 0, 0, 0]);
  });

  test('can be saved again, to the same state', () => {
    const options = testOptions({}, { a: 'text' });
    const { wasi, g } = begin(options);
    g.read(g.open('a'), 2);
    g.list(rootFd);
    let state = thaw(wasi);
    for (let round = 0; round < 10; round++) {
      const again = thaw(restoreWasi(state, options));
      expect(again).toEqual(state);
      state = again;
    }
  });
});

describe('saving refuses', () => {
  test('a file that was deleted, replaced, or whose directory is gone', () => {
    const { wasi, g } = begin(testOptions({}, { a: '', b: '', c: '' }));
    const fd = g.open('a');
    g.must('path_unlink_file', rootFd, ...g.path('a'));
    expect(errorOf(() => wasi.save())).toMatchObject({ code: 'wasi-deleted-file', fd });
    g.must('path_rename', rootFd, ...g.path('b'), rootFd, ...g.path('a'));
    expect(errorOf(() => wasi.save())).toMatchObject({ code: 'wasi-deleted-file', fd });
    expect(g.write(fd, 'the program goes on')).toBe(19);
    g.must('fd_close', fd);
    expect(wasi.save().descriptors).toHaveLength(4);
  });

  test('a socket', () => {
    const socket: Socket = {
      type: 'socket-stream',
      ready: () => 'would-block',
      writable: () => false,
      accept: () => 'would-block',
      receive: () => 'would-block',
      send: () => 'would-block',
      shutdown: () => undefined,
      close: () => undefined,
    };
    const { wasi } = begin(testOptions({ sockets: [socket] }));
    expect(errorOf(() => wasi.save())).toMatchObject({ code: 'wasi-open-socket', fd: 4 });
  });
});

test('a write that is to be on the disk stays so after a restore', () => {
  const options = testOptions({}, { a: '' });
  const { wasi, g } = begin(options);
  const fd = g.open('a', { fdFlags: fdFlag.dsync });
  const stat = g.room(24);
  g.moveTo(restoreWasi(thaw(wasi), options));
  g.must('fd_fdstat_get', fd, stat);
  expect(g.view.getUint16(stat + 2, true)).toBe(fdFlag.dsync);
});
