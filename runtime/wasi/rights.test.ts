import { describe, expect, test } from '@jest/globals';
import { errno } from './errno.js';
import { openFlag } from './flags.js';
import { createMemoryDirectory, createWasi } from './index.js';
import { allRights, changingRights, directoryRights, fileRights, inheritableRights, right } from './rights.js';
import { rootFd, testOptions, WasiGuest } from './wasi-guest.test.support.js';

const guest = (): WasiGuest => new WasiGuest(createWasi(testOptions({}, { file: 'text', directory: {} })));

function rightsOf(g: WasiGuest, fd: number): { base: number; inheriting: number } {
  const address = g.room(24);
  g.must('fd_fdstat_get', fd, address);
  expect([g.view.getUint32(address + 12, true), g.view.getUint32(address + 20, true)]).toEqual([0, 0]);
  return { base: g.view.getUint32(address + 8, true), inheriting: g.view.getUint32(address + 16, true) };
}

describe('rights', () => {
  test('of what is opened are those asked for that fit its kind', () => {
    const g = guest();
    expect(rightsOf(g, rootFd)).toEqual({ base: directoryRights, inheriting: inheritableRights });
    expect(rightsOf(g, g.open('file'))).toEqual({ base: fileRights, inheriting: 0 });
    expect(rightsOf(g, g.open('file', { rights: right.fdRead | right.pathOpen })).base).toBe(right.fdRead);
    const directory = g.open('directory', { rights: right.fdReaddir | right.fdSeek, inheriting: right.fdRead });
    expect(rightsOf(g, directory)).toEqual({ base: right.fdReaddir, inheriting: right.fdRead });
  });

  test('can be given up, and not taken back', () => {
    const g = guest();
    const fd = g.open('file');
    g.must('fd_fdstat_set_rights', fd, BigInt(right.fdRead), 0n);
    expect(rightsOf(g, fd).base).toBe(right.fdRead);
    expect(g.call('fd_fdstat_set_rights', fd, BigInt(right.fdRead | right.fdWrite), 0n)).toBe(errno.notcapable);
    expect(g.call('fd_fdstat_set_rights', fd, 1n << 40n, 0n)).toBe(errno.notcapable);
    expect(g.write(fd, 'x')).toBe(-errno.notcapable);
    expect(g.read(fd, 4)).toBe('text');
  });

  test('that a directory does not pass on cannot be had below it', () => {
    const g = guest();
    g.must('fd_fdstat_set_rights', rootFd, BigInt(directoryRights), BigInt(right.fdRead));
    expect(g.tryOpen('file', { rights: right.fdWrite, inheriting: 0 }).error).toBe(errno.notcapable);
    expect(g.tryOpen('file', { rights: right.fdRead, inheriting: 0 }).error).toBe(errno.success);
    expect(g.tryOpen('file', { rights: right.fdRead, inheriting: 0, fdFlags: 16 }).error).toBe(errno.notcapable);
  });

  test('that a directory does not pass on are left out where nobody insists on them', () => {
    const g = guest();
    g.must('fd_fdstat_set_rights', rootFd, BigInt(directoryRights), BigInt(right.fdRead | right.fdSeek));
    expect(rightsOf(g, g.open('file', { rights: fileRights & ~right.fdWrite })).base).toBe(right.fdRead | right.fdSeek);
  });

  test('bits that mean nothing are passed over when opening', () => {
    const g = guest();
    const result = g.room(4);
    const all = 0xffff_ffff_ffff_ffffn;
    g.must('path_open', rootFd, 0, ...g.path('file'), 0, all, all, 0, result);
    expect(rightsOf(g, g.view.getUint32(result, true)).base).toBe(fileRights);
  });

  const fileCalls: readonly [string, number, (fd: number) => readonly (number | bigint)[]][] = [
    ['fd_datasync', right.fdDatasync, (fd) => [fd]],
    ['fd_sync', right.fdSync, (fd) => [fd]],
    ['fd_read', right.fdRead, (fd) => [fd, 8, 0, 16]],
    ['fd_write', right.fdWrite, (fd) => [fd, 8, 0, 16]],
    ['fd_pread', right.fdRead | right.fdSeek, (fd) => [fd, 8, 0, 0n, 16]],
    ['fd_pwrite', right.fdWrite | right.fdSeek, (fd) => [fd, 8, 0, 0n, 16]],
    ['fd_seek', right.fdSeek, (fd) => [fd, 1n, 0, 16]],
    ['fd_tell', right.fdTell, (fd) => [fd, 16]],
    ['fd_advise', right.fdAdvise, (fd) => [fd, 0n, 0n, 0]],
    ['fd_allocate', right.fdAllocate, (fd) => [fd, 0n, 1n]],
    ['fd_filestat_get', right.fdFilestatGet, (fd) => [fd, 16]],
    ['fd_filestat_set_size', right.fdFilestatSetSize, (fd) => [fd, 4n]],
    ['fd_filestat_set_times', right.fdFilestatSetTimes, (fd) => [fd, 0n, 0n, 0]],
    ['fd_fdstat_set_flags', right.fdFdstatSetFlags, (fd) => [fd, 0]],
  ];
  test.each(fileCalls)('%s needs its own and no other', (name, needed, args) => {
    const g = guest();
    const fd = g.open('file');
    g.must(name, ...args(fd));
    g.must('fd_fdstat_set_rights', fd, BigInt(needed), 0n);
    g.must(name, ...args(fd));
    for (const bit of bitsOf(needed)) {
      const other = g.open('file');
      g.must('fd_fdstat_set_rights', other, BigInt(fileRights & ~bit), 0n);
      expect(g.call(name, ...args(other))).toBe(errno.notcapable);
    }
  });

  const pathCalls: readonly [string, number, (g: WasiGuest) => readonly (number | bigint)[]][] = [
    ['fd_readdir', right.fdReaddir, () => [rootFd, 64, 64, 0n, 16]],
    ['path_create_directory', right.pathCreateDirectory, (g) => [rootFd, ...g.path('new')]],
    ['path_remove_directory', right.pathRemoveDirectory, (g) => [rootFd, ...g.path('directory')]],
    ['path_unlink_file', right.pathUnlinkFile, (g) => [rootFd, ...g.path('file')]],
    ['path_symlink', right.pathSymlink, (g) => [...g.path('file'), rootFd, ...g.path('new')]],
    [
      'path_link',
      right.pathLinkSource | right.pathLinkTarget,
      (g) => [rootFd, 0, ...g.path('file'), rootFd, ...g.path('new')],
    ],
    [
      'path_rename',
      right.pathRenameSource | right.pathRenameTarget,
      (g) => [rootFd, ...g.path('file'), rootFd, ...g.path('new')],
    ],
    ['path_filestat_get', right.pathFilestatGet, (g) => [rootFd, 0, ...g.path('file'), 64]],
    ['path_filestat_set_times', right.pathFilestatSetTimes, (g) => [rootFd, 0, ...g.path('file'), 0n, 0n, 0]],
    ['path_open', right.pathOpen, (g) => [rootFd, 0, ...g.path('file'), 0, 0n, 0n, 0, 16]],
  ];
  test.each(pathCalls)('%s needs its own and no other', (name, needed, args) => {
    for (const bit of bitsOf(needed)) {
      const g = guest();
      g.must('fd_fdstat_set_rights', rootFd, BigInt(directoryRights & ~bit), 0n);
      expect(g.call(name, ...args(g))).toBe(errno.notcapable);
    }
    const g = guest();
    g.must('fd_fdstat_set_rights', rootFd, BigInt(needed), 0n);
    g.must(name, ...args(g));
  });

  test('to create and to truncate are needed for opening so', () => {
    for (const [flags, needed] of [
      [openFlag.create, right.pathCreateFile],
      [openFlag.truncate, right.pathFilestatSetSize],
    ] as const) {
      const g = guest();
      g.must('fd_fdstat_set_rights', rootFd, BigInt(directoryRights & ~needed), BigInt(inheritableRights));
      expect(g.tryOpen('file', { flags }).error).toBe(errno.notcapable);
      expect(g.contents('file')).toBe('text');
    }
  });
});

test('a directory granted read-only can be read and not changed', () => {
  const root = createMemoryDirectory({ file: 'text', directory: {} });
  const g = new WasiGuest(createWasi(testOptions({ preopens: [{ guest: '/', root, readOnly: true }] })));
  expect(g.contents('file')).toBe('text');
  expect(g.tryOpen('file', { rights: right.fdRead | right.fdWrite }).error).toBe(errno.notcapable);
  const asked = g.open('file', { rights: allRights & ~right.fdWrite });
  expect(rightsOf(g, asked).base).toBe(fileRights & ~changingRights);
  expect(g.tryOpen('new', { flags: openFlag.create, rights: right.fdRead, inheriting: 0 }).error).toBe(
    errno.notcapable,
  );
  expect(g.tryOpen('file', { flags: openFlag.truncate, rights: right.fdRead, inheriting: 0 }).error).toBe(
    errno.notcapable,
  );
  expect(g.call('path_unlink_file', rootFd, ...g.path('file'))).toBe(errno.notcapable);
  expect(g.call('path_create_directory', rootFd, ...g.path('new'))).toBe(errno.notcapable);
  expect(g.list(rootFd).names).toEqual(['.', '..', 'directory', 'file']);
});

function bitsOf(rights: number): number[] {
  return Array.from({ length: 30 }, (_, bit) => 2 ** bit).filter((bit) => (rights & bit) !== 0);
}
