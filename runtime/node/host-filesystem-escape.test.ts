/** A guest under a granted directory tries to get at what lies beside it. */

import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { changesIn, readTree } from '../../fixtures/folder-tree.js';
import { openFlag } from '../wasi/flags.js';
import { createWasi, type Directory, errno, restoreWasi } from '../wasi/index.js';
import { rootFd, testOptions, WasiGuest } from '../wasi/wasi-guest.test.support.js';
import { HostDirectory, openHostDirectory } from './host-filesystem.js';
import { PathAnchor } from './host-filesystem-anchor.js';

let top = '';
let inside = '';
let outside = '';
/** What is outside, as it must stay. */
let untouched: string[] = [];

beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'mvvm-escape-'));
  inside = join(top, 'inside');
  outside = join(top, 'outside');
  mkdirSync(join(inside, 'sub'), { recursive: true });
  mkdirSync(outside);
  writeFileSync(join(outside, 'secret'), 'secret');
  writeFileSync(join(inside, 'own'), 'own');
  untouched = readTree(outside);
});
afterEach(() => {
  // Whatever was tried.
  expect(readTree(outside)).toEqual(untouched);
  rmSync(top, { recursive: true, force: true });
});

const guestOver = (root: Directory): WasiGuest =>
  new WasiGuest(createWasi(testOptions({ preopens: [{ guest: '/', root }] })));

/** Both ways of holding a directory; on other systems than Linux both are the second. */
const ways: readonly [string, () => Directory][] = [
  ['held by a descriptor', () => openHostDirectory(inside)],
  ['held by its path', () => new HostDirectory(new PathAnchor(inside))],
];

const secretPaths = [
  '../outside/secret',
  'sub/../../outside/secret',
  './../outside/secret',
  'sub/../..//outside/secret',
];

describe.each(ways)('a directory %s', (_, openRoot) => {
  test('lets nobody out by dots or absolute paths, in any call', () => {
    const g = guestOver(openRoot());
    for (const path of [...secretPaths, join(outside, 'secret')]) {
      expect(g.tryOpen(path).error).toBe(errno.notcapable);
      expect(g.tryOpen(path, { flags: openFlag.create }).error).toBe(errno.notcapable);
      const name = (): [number, number] => g.path(path);
      const results = [
        g.call('path_filestat_get', rootFd, 0, ...name(), 512),
        g.call('path_filestat_set_times', rootFd, 0, ...name(), 0n, 0n, 5),
        g.call('path_unlink_file', rootFd, ...name()),
        g.call('path_remove_directory', rootFd, ...name()),
        g.call('path_create_directory', rootFd, ...name()),
        g.call('path_readlink', rootFd, ...name(), 512, 64, 600),
        g.call('path_rename', rootFd, ...name(), rootFd, ...g.path('mine')),
        g.call('path_rename', rootFd, ...g.path('own'), rootFd, ...name()),
        g.call('path_link', rootFd, 0, ...name(), rootFd, ...g.path('mine')),
        g.call('path_link', rootFd, 0, ...g.path('own'), rootFd, ...name()),
        g.call('path_symlink', ...g.path('own'), rootFd, ...name()),
      ];
      expect([path, results]).toEqual([path, new Array(11).fill(errno.notcapable)]);
    }
    expect(g.list(rootFd).names).toEqual(['.', '..', 'own', 'sub']);
  });

  test('lets nobody out by links that are there', () => {
    symlinkSync(outside, join(inside, 'absolute'));
    symlinkSync('../outside', join(inside, 'relative'));
    symlinkSync('../outside/secret', join(inside, 'file'));
    symlinkSync('/proc/self/cwd', join(inside, 'magic'));
    symlinkSync('relative', join(inside, 'twice'));
    const g = guestOver(openRoot());
    for (const path of [
      'absolute/secret',
      'relative/secret',
      'file',
      'magic/package.json',
      'twice/secret',
      'relative',
    ]) {
      expect([path, g.tryOpen(path).error]).toEqual([path, errno.notcapable]);
      expect(g.call('path_filestat_get', rootFd, 1, ...g.path(path), 512)).toBe(errno.notcapable);
    }
    expect(g.tryOpen('file', { follow: false }).error).toBe(errno.loop);
    expect(g.tryOpen('file', { flags: openFlag.create | openFlag.exclusive }).error).toBe(errno.exist);
  });

  test('lets nobody out by links that the guest makes', () => {
    const g = guestOver(openRoot());
    expect(g.call('path_symlink', ...g.path(outside), rootFd, ...g.path('absolute'))).toBe(errno.notcapable);
    g.must('path_symlink', ...g.path('../outside'), rootFd, ...g.path('relative'));
    g.must('path_symlink', ...g.path('sub'), rootFd, ...g.path('good'));
    expect(g.tryOpen('relative/secret').error).toBe(errno.notcapable);
    expect(g.tryOpen('good/../../outside/secret').error).toBe(errno.notcapable);
    g.open('good/made', { flags: openFlag.create });
    expect(g.contents('sub/made')).toBe('');
  });

  test('follows links that stay inside', () => {
    symlinkSync('../own', join(inside, 'sub', 'up'));
    expect(guestOver(openRoot()).contents('sub/up')).toBe('own');
  });

  test('is what it was when the guest moves a subdirectory that it has open', () => {
    const g = guestOver(openRoot());
    mkdirSync(join(inside, 'a', 'b'), { recursive: true });
    const deep = g.open('a/b', { flags: openFlag.directory });
    renameSync(join(inside, 'a', 'b'), join(outside, 'b'));
    untouched = readTree(outside);
    expect(g.tryOpen('../secret', {}, deep).error).toBe(errno.notcapable);
  });

  test('gives the error of a link, not its target, when a name is swapped for one between the check and the use', () => {
    const root = openRoot();
    const swapped = (method: 'open' | 'openDirectory' | 'readlink', swap: () => void): Directory => {
      const original = root[method].bind(root);
      Object.defineProperty(root, method, {
        configurable: true,
        value: (...args: Parameters<typeof original>) => {
          swap();
          return Reflect.apply(original, root, args);
        },
      });
      return root;
    };
    const swapIn = (name: string, target: string): void => {
      rmSync(join(inside, name), { recursive: true, force: true });
      symlinkSync(target, join(inside, name));
    };
    // The file becomes a link just before it is opened: after the walk found that it was none.
    const file = guestOver(swapped('open', () => swapIn('own', '../outside/secret')));
    expect(file.tryOpen('own').error).toBe(errno.loop);
    // The directory becomes a link just before the walk enters it: the link is walked like any other.
    const directory = guestOver(swapped('openDirectory', () => swapIn('sub', '../outside')));
    expect(directory.tryOpen('sub/secret').error).toBe(errno.notcapable);
  });

  test('lets a restore reach no further', () => {
    const options = testOptions({ preopens: [{ guest: '/', root: openRoot() }] });
    const wasi = createWasi(options);
    const g = new WasiGuest(wasi);
    g.open('own');
    const state = wasi.save();
    rmSync(join(inside, 'own'));
    symlinkSync('../outside/secret', join(inside, 'own'));
    expect(() => restoreWasi(state, options)).toThrow(expect.objectContaining({ code: 'wasi-file-of-other-kind' }));
    symlinkSync('../outside', join(inside, 'link'));
    const forged = (path: readonly string[]): typeof state => ({
      ...state,
      descriptors: state.descriptors.map((entry) =>
        entry.descriptor.kind === 'file'
          ? { ...entry, descriptor: { ...entry.descriptor, place: { preopen: '/', path } } }
          : entry,
      ),
    });
    const paths: readonly [string, readonly string[]][] = [
      ['wasi-file-gone', ['link', 'secret']],
      ['wasi-bad-state', ['..', 'outside', 'secret']],
      ['wasi-bad-state', ['../outside/secret']],
      ['wasi-bad-state', ['sub/../../outside/secret']],
      ['wasi-bad-state', [join(outside, 'secret')]],
      ['wasi-bad-state', ['', 'own']],
      ['wasi-bad-state', ['own\0']],
      ['wasi-bad-state', ['x'.repeat(65_536)]],
    ];
    for (const [code, path] of paths) {
      const restore = (): unknown => restoreWasi(forged(path), options);
      expect(changesIn(top, () => expect(restore).toThrow(expect.objectContaining({ code })))).toEqual([]);
    }
  });
});

test('a directory that is held by its path is given up when something else takes that path', () => {
  const root = new HostDirectory(new PathAnchor(inside));
  renameSync(inside, join(top, 'moved'));
  symlinkSync('outside', inside);
  expect(guestOver(root).tryOpen('secret').error).toBe(errno.stale);
});

const onLinux = process.platform === 'linux' ? test : test.skip;
onLinux('a directory that is held by a descriptor stays the same directory wherever it is moved', () => {
  const root = openHostDirectory(inside);
  renameSync(inside, join(top, 'moved'));
  symlinkSync('outside', inside);
  const g = guestOver(root);
  expect(g.tryOpen('secret').error).toBe(errno.noent);
  expect(g.contents('own')).toBe('own');
});
