import { describe, expect, test } from '@jest/globals';
import { errno } from './errno.js';
import { createWasi } from './index.js';
import { rootFd, testOptions, WasiGuest } from './wasi-guest.test.support.js';

const guest = (): WasiGuest => new WasiGuest(createWasi(testOptions({}, { a: 'aaa', b: 'bbb', c: 'ccc' })));

describe('the table of descriptors', () => {
  test('gives the lowest free number, also one that was closed', () => {
    const g = guest();
    expect([g.open('a'), g.open('b'), g.open('c')]).toEqual([4, 5, 6]);
    g.must('fd_close', 4);
    g.must('fd_close', 5);
    expect([g.open('c'), g.open('c'), g.open('c')]).toEqual([4, 5, 7]);
  });

  test('gives standard streams numbers too, once they are closed', () => {
    const g = guest();
    g.must('fd_close', 0);
    expect(g.open('a')).toBe(0);
    expect(g.read(0, 10)).toBe('aaa');
  });

  test('refuses numbers that are not open', () => {
    const g = guest();
    for (const fd of [4, 99, -1, 0x7fffffff]) expect(g.call('fd_close', fd)).toBe(errno.badf);
    g.must('fd_close', rootFd);
    expect(g.call('fd_close', rootFd)).toBe(errno.badf);
    expect(g.tryOpen('a').error).toBe(errno.badf);
  });

  test('renumbers: the target is closed, the source becomes free', () => {
    const g = guest();
    const [a, b] = [g.open('a'), g.open('b')];
    g.must('fd_renumber', a, b);
    expect(g.read(b, 10)).toBe('aaa');
    expect(g.call('fd_close', a)).toBe(errno.badf);
    expect(g.open('c')).toBe(a);
  });

  test('renumbers only between open descriptors, and onto itself without effect', () => {
    const g = guest();
    const a = g.open('a');
    expect(g.call('fd_renumber', a, 50)).toBe(errno.badf);
    expect(g.call('fd_renumber', 50, a)).toBe(errno.badf);
    g.must('fd_renumber', a, a);
    expect(g.read(a, 10)).toBe('aaa');
  });

  test('renumbers a granted directory, which keeps its name', () => {
    const g = guest();
    const a = g.open('a');
    g.must('fd_renumber', rootFd, a);
    const result = g.room(8);
    g.must('fd_prestat_get', a, result);
    expect(g.view.getUint32(result + 4, true)).toBe(1);
    expect(g.call('fd_prestat_get', rootFd, result)).toBe(errno.badf);
    expect(g.open('b', {}, a)).toBe(rootFd);
  });
});
