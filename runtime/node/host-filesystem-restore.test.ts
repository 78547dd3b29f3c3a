/** Files of the host over a checkpoint: moved with their directory, changed, gone. */

import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { changesIn } from '../../fixtures/folder-tree.js';
import { fdFlag, openFlag } from '../wasi/flags.js';
import { createWasi, errno, type Preopen, restoreWasi, type WasiState } from '../wasi/index.js';
import { right } from '../wasi/rights.js';
import { rootFd, testOptions, WasiGuest } from '../wasi/wasi-guest.test.support.js';
import { openHostDirectory } from './host-filesystem.js';

let top = '';
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'mvvm-restore-'));
  execFileSync('mkdir', [join(top, 'data')]);
  writeFileSync(join(top, 'data', 'in'), 'one\ntwo\nthree\n');
  writeFileSync(join(top, 'data', 'log'), 'old\n');
});
afterEach(() => rmSync(top, { recursive: true, force: true }));

const grant = (name = 'data', how: Partial<Preopen> = {}): { preopens: Preopen[] } => ({
  preopens: [{ guest: '/', root: openHostDirectory(join(top, name)), ...how }],
});

/** A guest in the middle of reading `in` (4), writing `out` (5), appending to `log` (6) and listing the directory. */
function midway(): { g: WasiGuest; state: WasiState } {
  const wasi = createWasi(testOptions(grant()));
  const g = new WasiGuest(wasi);
  const input = g.open('in', { rights: right.fdRead | right.fdSeek | right.fdTell });
  g.open('out', { flags: openFlag.create | openFlag.truncate });
  g.open('log', { fdFlags: fdFlag.append, rights: right.fdWrite });
  g.read(input, 4);
  g.write(5, 'first ');
  g.write(6, 'new\n');
  g.list(rootFd, 0n, 80);
  const state: WasiState = JSON.parse(JSON.stringify(wasi.save()));
  wasi.close();
  return { g, state };
}

function goOn(g: WasiGuest): void {
  expect(g.read(4, 4)).toBe('two\n');
  g.write(5, 'second');
  g.write(6, 'newer\n');
  expect(g.list(rootFd, 3n).names).toEqual(['log', 'out']);
}

function expectFiles(name: string): void {
  expect(readFileSync(join(top, name, 'out'), 'utf8')).toBe('first second');
  expect(readFileSync(join(top, name, 'log'), 'utf8')).toBe('old\nnew\nnewer\n');
}

describe('a guest in the middle of its files', () => {
  test('goes on where it was', () => {
    const { g, state } = midway();
    g.moveTo(restoreWasi(state, testOptions(grant())));
    goOn(g);
    expectFiles('data');
  });

  test('goes on when its directory was moved to another place', () => {
    const { g, state } = midway();
    renameSync(join(top, 'data'), join(top, 'elsewhere'));
    g.moveTo(restoreWasi(state, testOptions(grant('elsewhere'))));
    goOn(g);
    expectFiles('elsewhere');
  });

  test('goes on in a copy that kept the times, as on another machine', () => {
    const { g, state } = midway();
    execFileSync('cp', ['-a', join(top, 'data'), join(top, 'copy')]);
    g.moveTo(restoreWasi(state, testOptions(grant('copy'))));
    goOn(g);
    expectFiles('copy');
    expect(readFileSync(join(top, 'data', 'out'), 'utf8')).toBe('first ');
  });

  test('goes on in a copy with new times only when changed files are accepted', () => {
    const { g, state } = midway();
    cpSync(join(top, 'data'), join(top, 'copy'), { recursive: true });
    for (const name of ['in', 'out', 'log']) utimesSync(join(top, 'copy', name), 5, 5);
    const refuse = (): unknown => restoreWasi(state, testOptions(grant('copy')));
    expect(refuse).toThrow(expect.objectContaining({ code: 'wasi-file-changed', fd: 4 }));
    g.moveTo(restoreWasi(state, testOptions(grant('copy', { onChangedFile: 'accept' }))));
    goOn(g);
    expectFiles('copy');
  });
});

describe('restoring refuses, and touches nothing, when a file', () => {
  const damages: readonly [string, string, () => void][] = [
    ['is gone', 'wasi-file-gone', () => rmSync(join(top, 'data', 'in'))],
    ['is shorter than what was read of it', 'wasi-file-changed', () => truncateSync(join(top, 'data', 'in'), 2)],
    ['is longer', 'wasi-file-changed', () => appendFileSync(join(top, 'data', 'in'), 'four\n')],
    [
      'was written to, at the same length',
      'wasi-file-changed',
      () => {
        writeFileSync(join(top, 'data', 'in'), 'ONE\ntwo\nthree\n');
        utimesSync(join(top, 'data', 'in'), 77, 77);
      },
    ],
    [
      'is a directory now',
      'wasi-file-of-other-kind',
      () => {
        rmSync(join(top, 'data', 'in'));
        execFileSync('mkdir', [join(top, 'data', 'in')]);
      },
    ],
  ];
  test.each(damages)('%s (%s)', (_, code, damage) => {
    const { state } = midway();
    damage();
    const restore = (): unknown => restoreWasi(state, testOptions(grant()));
    const attempt = (): void => expect(restore).toThrow(expect.objectContaining({ code, fd: 4 }));
    expect(changesIn(top, attempt)).toEqual([]);
  });
});

const onLinux = process.platform === 'linux' ? test : test.skip;

onLinux('a named pipe can be used, does not stop an open without a writer, and is refused when saving', () => {
  execFileSync('mkfifo', [join(top, 'data', 'pipe')]);
  let waits = 0;
  const wasi = createWasi(
    testOptions({
      ...grant(),
      wait: () => {
        waits += 1;
        if (waits === 2) g.write(writer, 'hi');
        return 'timeout';
      },
    }),
  );
  const g = new WasiGuest(wasi);
  const reader = g.open('pipe', { rights: right.fdRead | right.fdSeek });
  const writer = g.open('pipe', { rights: right.fdWrite });
  expect(g.read(reader, 10)).toBe('hi');
  expect(waits).toBe(2);
  expect([g.seek(reader, 0, 0), g.call('fd_pread', reader, ...g.buffer(512, 1), 0n, 600)]).toEqual([
    -errno.spipe,
    errno.spipe,
  ]);
  const refusal = expect.objectContaining({ code: 'wasi-special-file', fd: reader });
  expect(changesIn(top, () => expect(() => wasi.save()).toThrow(refusal))).toEqual([]);
  g.write(writer, 'on');
  expect(g.read(reader, 10)).toBe('on');
});

onLinux('appends of two programs to one file do not overwrite each other', () => {
  const wasi = createWasi(testOptions(grant()));
  const g = new WasiGuest(wasi);
  const fd = g.open('log', { fdFlags: fdFlag.append, rights: right.fdWrite });
  g.write(fd, 'a\n');
  appendFileSync(join(top, 'data', 'log'), 'b\n');
  g.write(fd, 'c\n');
  expect(readFileSync(join(top, 'data', 'log'), 'utf8')).toBe('old\na\nb\nc\n');
});
