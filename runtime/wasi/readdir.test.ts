import { describe, expect, test } from '@jest/globals';
import { errno } from './errno.js';
import { openFlag } from './flags.js';
import { createWasi, restoreWasi, type WasiState } from './index.js';
import { rootFd, testOptions, WasiGuest } from './wasi-guest.test.support.js';

const tree = { delta: '', alpha: '', charlie: {}, bravo: '' };
const all = ['.', '..', 'alpha', 'bravo', 'charlie', 'delta'];

/** Reads on with buffers of this size until the end. */
function listIn(g: WasiGuest, room: number, from = 0n): string[] {
  const names: string[] = [];
  for (let cookie = from; ; ) {
    const part = g.list(rootFd, cookie, room);
    names.push(...part.names);
    cookie = part.next;
    if (part.used < room) return names;
  }
}

describe('a directory listing', () => {
  test('has every name once, sorted, however small the buffer', () => {
    const g = new WasiGuest(createWasi(testOptions({}, tree)));
    for (const room of [31, 32, 40, 64, 100, 4096]) expect([room, listIn(g, room)]).toEqual([room, all]);
  });

  test('says types and inode numbers', () => {
    const g = new WasiGuest(createWasi(testOptions({}, tree)));
    const [address, result, stat] = [g.room(512), g.room(4), g.room(64)];
    g.must('fd_readdir', rootFd, address, 512, 2n, result);
    g.must('path_filestat_get', rootFd, 0, ...g.path('alpha'), stat);
    expect(g.view.getBigUint64(address + 8, true)).toBe(g.view.getBigUint64(stat + 8, true));
    expect(g.view.getUint8(address + 20)).toBe(4);
  });

  test('stays as it began while names come and go, until it is begun again', () => {
    const g = new WasiGuest(createWasi(testOptions({}, tree)));
    const first = g.list(rootFd, 0n, 80);
    expect(first.names).toEqual(['.', '..', 'alpha']);
    g.must('path_unlink_file', rootFd, ...g.path('bravo'));
    g.open('aaa', { flags: openFlag.create });
    expect(listIn(g, 4096, first.next)).toEqual(['bravo', 'charlie', 'delta']);
    expect(listIn(g, 4096)).toEqual(['.', '..', 'aaa', 'alpha', 'charlie', 'delta']);
  });

  test('in progress goes on after a restore at the same name', () => {
    const options = testOptions({}, tree);
    const wasi = createWasi(options);
    const g = new WasiGuest(wasi);
    const first = g.list(rootFd, 0n, 80);
    const state: WasiState = JSON.parse(JSON.stringify(wasi.save()));
    g.must('path_unlink_file', rootFd, ...g.path('alpha'));
    g.moveTo(restoreWasi(state, options));
    expect(listIn(g, 4096, first.next)).toEqual(['bravo', 'charlie', 'delta']);
  });

  test('ends for every cookie behind the end', () => {
    const g = new WasiGuest(createWasi(testOptions({}, tree)));
    for (const cookie of [6n, 7n, 1n << 40n, (1n << 64n) - 1n]) expect(g.list(rootFd, cookie).used).toBe(0);
  });

  test('is of directories only', () => {
    const g = new WasiGuest(createWasi(testOptions({}, tree)));
    expect(g.call('fd_readdir', g.open('alpha'), 512, 64, 0n, 1000)).toBe(errno.notdir);
    expect(g.call('fd_readdir', 99, 512, 64, 0n, 1000)).toBe(errno.badf);
  });
});
