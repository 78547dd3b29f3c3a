import { describe, expect, test } from '@jest/globals';
import type { Dialect } from './flags.js';
import { createWasi } from './index.js';
import { rootFd, testOptions, WasiGuest } from './wasi-guest.test.support.js';

const guest = (dialect: Dialect): WasiGuest =>
  new WasiGuest(createWasi(testOptions({}, { file: '0123456789' })), dialect);

describe('the older names', () => {
  test('have the same calls', () => {
    const { imports } = createWasi(testOptions());
    expect(Object.keys(imports.wasi_unstable)).toEqual(Object.keys(imports.wasi_snapshot_preview1));
    expect(Object.keys(imports.wasi_unstable)).toHaveLength(46 + 48);
  });

  test('count seeks from elsewhere', () => {
    const g = guest('wasi_unstable');
    const fd = g.open('file');
    expect(g.seek(fd, 3, 0)).toBe(3);
    expect(g.seek(fd, 3, 0)).toBe(6);
    expect(g.seek(fd, -1, 1)).toBe(9);
    expect(g.seek(fd, 4, 2)).toBe(4);
  });

  test('have shorter file facts', () => {
    const [older, newer] = [guest('wasi_unstable'), guest('wasi_snapshot_preview1')];
    for (const g of [older, newer]) {
      g.must('path_link', rootFd, 0, ...g.path('file'), rootFd, ...g.path('second'));
      g.must('path_filestat_set_times', rootFd, 0, ...g.path('file'), 11n, 22n, 5);
      g.bytes(4096, 64).fill(0xee);
      g.must('path_filestat_get', rootFd, 0, ...g.path('file'), 4096);
    }
    const [o, n] = [older.view, newer.view];
    expect([o.getUint8(4112), n.getUint8(4112)]).toEqual([4, 4]);
    expect([o.getUint32(4116, true), n.getBigUint64(4120, true)]).toEqual([2, 2n]);
    expect([o.getBigUint64(4120, true), n.getBigUint64(4128, true)]).toEqual([10n, 10n]);
    expect([o.getBigUint64(4128, true), n.getBigUint64(4136, true)]).toEqual([11n, 11n]);
    expect([o.getBigUint64(4136, true), n.getBigUint64(4144, true)]).toEqual([22n, 22n]);
    expect([...older.bytes(4096 + 56, 8)]).toEqual(new Array(8).fill(0xee));
  });

  test('have longer subscriptions', () => {
    const g = guest('wasi_unstable');
    const fd = g.open('file');
    const input = g.room(112);
    g.view.setBigUint64(input, 7n, true);
    g.view.setUint8(input + 8, 0);
    g.view.setUint32(input + 24, 1, true);
    g.view.setBigUint64(input + 32, 0n, true);
    g.view.setBigUint64(input + 56, 8n, true);
    g.view.setUint8(input + 64, 1);
    g.view.setUint32(input + 72, fd, true);
    const [output, result] = [g.room(64), g.room(4)];
    g.must('poll_oneoff', input, output, 2, result);
    expect(g.view.getUint32(result, true)).toBe(2);
    expect([g.view.getBigUint64(output, true), g.view.getBigUint64(output + 32, true)]).toEqual([7n, 8n]);
    expect(g.view.getBigUint64(output + 48, true)).toBe(10n);
  });
});
