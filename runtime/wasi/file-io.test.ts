import { describe, expect, test } from '@jest/globals';
import { errno } from './errno.js';
import { fdFlag, openFlag } from './flags.js';
import { createWasi, type MemoryTree } from './index.js';
import { right } from './rights.js';
import { rootFd, testOptions, WasiGuest } from './wasi-guest.test.support.js';

const guest = (tree: MemoryTree = { file: '0123456789' }): WasiGuest =>
  new WasiGuest(createWasi(testOptions({}, tree)));

describe('offsets', () => {
  test('move by what was read and written', () => {
    const g = guest();
    const fd = g.open('file');
    expect(g.read(fd, 4)).toBe('0123');
    expect(g.write(fd, 'xx')).toBe(2);
    expect(g.tell(fd)).toBe(6);
    expect(g.read(fd, 100)).toBe('6789');
    expect(g.read(fd, 100)).toBe('');
    expect(g.contents('file')).toBe('0123xx6789');
  });

  test('of two descriptors of one file are independent', () => {
    const g = guest();
    const [a, b] = [g.open('file'), g.open('file')];
    g.read(a, 5);
    expect(g.read(b, 2)).toBe('01');
  });

  test('are set from the start, from where they are, and from the end', () => {
    const g = guest();
    const fd = g.open('file');
    expect(g.seek(fd, 3, 0)).toBe(3);
    expect(g.seek(fd, 2, 1)).toBe(5);
    expect(g.seek(fd, -1, 2)).toBe(9);
    expect(g.read(fd, 5)).toBe('9');
    expect(g.seek(fd, -11, 2)).toBe(-errno.inval);
    expect(g.seek(fd, 0, 3)).toBe(-errno.inval);
    expect(g.tell(fd)).toBe(10);
  });

  test('may lie behind the end: what is between reads as zeros', () => {
    const g = guest({ file: 'ab' });
    const fd = g.open('file');
    g.seek(fd, 4, 0);
    expect(g.read(fd, 10)).toBe('');
    expect(g.write(fd, 'z')).toBe(1);
    expect(g.contents('file')).toBe('ab\0\0z');
  });

  test('are left alone by pread and pwrite', () => {
    const g = guest();
    const fd = g.open('file');
    const [address, result] = [g.room(8), g.room(4)];
    g.must('fd_pread', fd, ...g.buffer(address, 3), 5n, result);
    expect(g.text(address, 3)).toBe('567');
    g.must('fd_pwrite', fd, ...g.buffer(...g.path('!')), 9n, result);
    expect(g.tell(fd)).toBe(0);
    expect(g.contents('file')).toBe('012345678!');
  });

  test('beyond 2^53 are refused', () => {
    const g = guest();
    expect(g.call('fd_pread', g.open('file'), ...g.buffer(512, 4), 1n << 60n, g.room(4))).toBe(errno.overflow);
  });
});

describe('several buffers in one call', () => {
  test('are filled and drained in order', () => {
    const g = guest();
    const fd = g.open('file');
    const [list, result] = [g.room(24), g.room(4)];
    [3, 0, 4].forEach((length, index) => {
      g.view.setUint32(list + index * 8, 512 + index * 16, true);
      g.view.setUint32(list + index * 8 + 4, length, true);
    });
    g.must('fd_read', fd, list, 3, result);
    expect(g.view.getUint32(result, true)).toBe(7);
    expect([g.text(512, 3), g.text(544, 4)]).toEqual(['012', '3456']);
    g.must('fd_write', fd, list, 3, result);
    expect(g.contents('file')).toBe('01234560123456');
  });
});

describe('append', () => {
  test('writes at the end, wherever the offset is', () => {
    const g = guest({ file: 'abc' });
    const [appending, other] = [g.open('file', { fdFlags: fdFlag.append }), g.open('file')];
    g.write(appending, 'd');
    g.seek(other, 0, 2);
    g.write(other, 'e');
    g.seek(appending, 0, 0);
    g.write(appending, 'f');
    expect(g.tell(appending)).toBe(6);
    expect(g.contents('file')).toBe('abcdef');
  });

  test('can be switched on and off', () => {
    const g = guest({ file: 'abc' });
    const fd = g.open('file');
    g.must('fd_fdstat_set_flags', fd, fdFlag.append);
    g.write(fd, 'd');
    g.must('fd_fdstat_set_flags', fd, 0);
    g.seek(fd, 0, 0);
    g.write(fd, 'X');
    expect(g.contents('file')).toBe('Xbcd');
    expect(g.call('fd_fdstat_set_flags', fd, 1 << 7)).toBe(errno.inval);
  });
});

describe('opening', () => {
  test('creates, exclusively or not, and truncates', () => {
    const g = guest();
    expect(g.tryOpen('new').error).toBe(errno.noent);
    g.write(g.open('new', { flags: openFlag.create }), 'text');
    g.open('new', { flags: openFlag.create });
    expect(g.contents('new')).toBe('text');
    expect(g.tryOpen('new', { flags: openFlag.create | openFlag.exclusive }).error).toBe(errno.exist);
    g.open('new', { flags: openFlag.truncate });
    expect(g.contents('new')).toBe('');
  });

  test('tells files and directories apart', () => {
    const g = guest({ file: 'text', directory: { inner: '' } });
    expect(g.tryOpen('file', { flags: openFlag.directory }).error).toBe(errno.notdir);
    expect(g.tryOpen('directory', { rights: right.fdWrite }).error).toBe(errno.isdir);
    expect(g.tryOpen('file/').error).toBe(errno.notdir);
    const inner = g.open('directory', { flags: openFlag.directory, rights: right.pathOpen });
    expect(g.open('inner', { rights: 0, inheriting: 0 }, inner)).toBeGreaterThan(inner);
    expect(g.tryOpen('inner', {}, g.open('file')).error).toBe(errno.notdir);
  });

  test('refuses flags that do not exist', () => {
    const g = guest();
    expect(g.tryOpen('file', { flags: 16 }).error).toBe(errno.inval);
    expect(g.tryOpen('file', { fdFlags: 32 }).error).toBe(errno.inval);
  });

  test.each([
    ['a\0b', errno.inval],
    ['x'.repeat(4097), errno.nametoolong],
    ['x'.repeat(256), errno.nametoolong],
    ['x'.repeat(65_536), errno.nametoolong],
  ])('refuses a path that cannot be one (%#)', (path, error) => {
    expect(guest().tryOpen(path, { flags: openFlag.create }).error).toBe(error);
  });

  test('takes every character of a name for what it is', () => {
    const g = guest();
    for (const name of ['\ufefffile', 'na\u0308me', '日本語', '😀', 'a\\b', ' ']) {
      g.write(g.open(name, { flags: openFlag.create | openFlag.exclusive }), name);
      expect(g.contents(name)).toBe(name);
    }
    expect(g.contents('file')).toBe('0123456789');
  });

  test('refuses a path that is not UTF-8', () => {
    const g = guest();
    const [address] = g.path('ab');
    g.bytes(address, 2).set([0xc3, 0x28]);
    expect(g.call('path_open', rootFd, 0, address, 2, 1, 0n, 0n, 0, g.room(4))).toBe(errno.ilseq);
    expect(g.list(rootFd).names).toEqual(['.', '..', 'file']);
  });
});

describe('sizes', () => {
  test('are set and allocated', () => {
    const g = guest({ file: 'abcdef' });
    const fd = g.open('file');
    g.must('fd_filestat_set_size', fd, 3n);
    expect(g.contents('file')).toBe('abc');
    g.must('fd_allocate', fd, 0n, 2n);
    expect(g.contents('file')).toBe('abc');
    g.must('fd_allocate', fd, 2n, 3n);
    expect(g.contents('file')).toBe('abc\0\0');
    expect(g.call('fd_allocate', fd, 0n, 0n)).toBe(errno.inval);
    expect(g.call('fd_filestat_set_size', fd, 1n << 63n)).toBe(errno.fbig);
  });
});

describe('files in memory', () => {
  test('take no memory for being long, and are zero where nothing was written', () => {
    const g = guest({ file: 'abcdef' });
    const fd = g.open('file');
    g.must('fd_filestat_set_size', fd, 1n << 50n);
    g.must('fd_filestat_set_size', fd, 3n);
    g.must('fd_filestat_set_size', fd, 8n);
    expect(g.contents('file')).toBe('abc\0\0\0\0\0');
    g.seek(fd, 2 ** 30, 0);
    expect(g.write(fd, 'x')).toBe(-errno.fbig);
    expect(g.contents('file')).toBe('abc\0\0\0\0\0');
  });
});

describe('times', () => {
  test('are set to values, to now, or left', () => {
    const g = guest();
    const fd = g.open('file');
    const stat = (): bigint[] => {
      const address = g.room(64);
      g.must('fd_filestat_get', fd, address);
      return [40, 48].map((offset) => g.view.getBigUint64(address + offset, true));
    };
    g.must('fd_filestat_set_times', fd, 11n, 22n, 1 | 4);
    expect(stat()).toEqual([11n, 22n]);
    g.must('path_filestat_set_times', rootFd, 0, ...g.path('file'), 99n, 33n, 4);
    expect(stat()).toEqual([11n, 33n]);
    const before = g.time(0);
    g.must('fd_filestat_set_times', fd, 0n, 0n, 2);
    expect(stat()[0]).toBeGreaterThanOrEqual(before);
    expect(g.call('fd_filestat_set_times', fd, 0n, 0n, 1 | 2)).toBe(errno.inval);
  });
});
