/** A snapshot is as dangerous as a program: what it may say, and what is granted for it. */

import { describe, expect, test } from '@jest/globals';
import { openFlag } from './flags.js';
import {
  createWasi,
  type Directory,
  restoreWasi,
  WasiError,
  type WasiOptions,
  type WasiState,
  wasiStateSchema,
} from './index.js';
import { right } from './rights.js';
import { rootFd, testOptions, WasiGuest } from './wasi-guest.test.support.js';

/** The error with which a restore is refused, for which nothing is opened. */
function refusalOf(state: WasiState, options: WasiOptions): WasiError {
  let opened = 0;
  const preopens = options.preopens.map((preopen) => ({
    ...preopen,
    root: new Proxy(preopen.root, {
      get: (root, method: keyof Directory) => {
        if (method === 'open') opened += 1;
        const value = root[method];
        return typeof value === 'function' ? value.bind(root) : value;
      },
    }),
  }));
  const error = errorOf(() => restoreWasi(state, { ...options, preopens }));
  expect(opened).toBe(0);
  return error;
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

describe('restoring refuses', () => {
  /** A guest that has `a` open at offset 2 as descriptor 4 and the directory `sub` as 5. */
  function saved(): { state: WasiState; options: WasiOptions; g: WasiGuest } {
    const options = testOptions({}, { a: 'text', sub: {}, other: '' });
    const wasi = createWasi(options);
    const g = new WasiGuest(wasi);
    g.read(g.open('a'), 2);
    g.open('sub', { flags: openFlag.directory });
    return { state: wasiStateSchema.parse(JSON.parse(JSON.stringify(wasi.save()))), options, g };
  }

  test('what lies in a directory that is not granted, or is granted under another name', () => {
    const { state, options } = saved();
    const renamed = options.preopens.map((preopen) => ({ ...preopen, guest: '/elsewhere' }));
    for (const preopens of [[], renamed]) {
      expect(refusalOf(state, { ...options, preopens })).toMatchObject({
        code: 'wasi-not-granted',
        fd: 3,
      });
    }
  });

  test('more rights than the grant gives', () => {
    const { state, options } = saved();
    const preopens = options.preopens.map((preopen) => ({ ...preopen, readOnly: true }));
    expect(refusalOf(state, { ...options, preopens }).code).toBe('wasi-rights-not-granted');
  });

  test('a file that is gone, or is something else now', () => {
    const { state, options, g } = saved();
    g.must('path_unlink_file', rootFd, ...g.path('a'));
    expect(refusalOf(state, options)).toMatchObject({ code: 'wasi-file-gone', fd: 4 });
    g.must('path_create_directory', rootFd, ...g.path('a'));
    expect(refusalOf(state, options)).toMatchObject({ code: 'wasi-file-of-other-kind', fd: 4 });
    g.must('path_remove_directory', rootFd, ...g.path('a'));
    g.must('path_symlink', ...g.path('other'), rootFd, ...g.path('a'));
    expect(refusalOf(state, options)).toMatchObject({ code: 'wasi-file-of-other-kind', fd: 4 });
  });

  test('a file of another size or time, unless changed files are accepted', () => {
    for (const change of [
      (g: WasiGuest) => g.must('fd_filestat_set_size', g.open('a'), 1n),
      (g: WasiGuest) => g.must('path_filestat_set_times', rootFd, 0, ...g.path('a'), 0n, 5n, 4),
    ]) {
      const { state, options, g } = saved();
      change(g);
      expect(refusalOf(state, options)).toMatchObject({ code: 'wasi-file-changed', fd: 4 });
      const preopens = options.preopens.map((preopen) => ({ ...preopen, onChangedFile: 'accept' as const }));
      g.moveTo(restoreWasi(state, { ...options, preopens }));
      expect(g.tell(4)).toBe(2);
    }
  });

  type Json = Record<string, unknown>;
  const file = (changes: Json): ((state: WasiState) => unknown) => {
    return (state) => ({
      ...state,
      descriptors: state.descriptors.map((entry) =>
        entry.fd === 4 ? { ...entry, descriptor: { ...entry.descriptor, ...changes } } : entry,
      ),
    });
  };
  const place = (...path: unknown[]): ((state: WasiState) => unknown) => file({ place: { preopen: '/', path } });
  const all = (changes: (entry: WasiState['descriptors'][number]) => unknown) => (state: WasiState) => ({
    ...state,
    descriptors: state.descriptors.map(changes),
  });

  const hostile: readonly [string, string, (state: WasiState) => unknown][] = [
    ['a path that goes up', 'wasi-bad-state', place('..', 'a')],
    ['a path with a dot', 'wasi-bad-state', place('.', 'a')],
    ['an absolute path', 'wasi-bad-state', place('/etc/passwd')],
    ['a path with a slash', 'wasi-bad-state', place('sub/../../a')],
    ['a path with a NUL', 'wasi-bad-state', place('a\0')],
    ['an empty component', 'wasi-bad-state', place('', 'a')],
    ['a path of 64 KiB', 'wasi-bad-state', place('a'.repeat(65_536))],
    ['a path of many components', 'wasi-bad-state', place(...new Array(5000).fill('a'))],
    ['a path that is no text', 'wasi-bad-state', place(7)],
    ['a path that leads nowhere', 'wasi-file-gone', place('nowhere')],
    ['a path through a file', 'wasi-file-gone', place('other', 'a')],
    ['an unknown directory', 'wasi-not-granted', file({ place: { preopen: '/etc', path: ['a'] } })],
    ['all rights', 'wasi-rights-not-granted', file({ rights: 2 ** 30 - 1 })],
    ['rights to pass on from a file', 'wasi-rights-not-granted', file({ inheriting: right.fdRead })],
    ['rights that do not exist', 'wasi-bad-state', file({ rights: 2 ** 31 })],
    ['a negative offset', 'wasi-bad-state', file({ offset: -1 })],
    ['an offset that is no whole number', 'wasi-bad-state', file({ offset: 1.5 })],
    ['an offset beyond 2^53', 'wasi-bad-state', file({ offset: 2 ** 60 })],
    ['unknown flags', 'wasi-bad-state', file({ flags: 64 })],
    ['a kind that cannot be saved', 'wasi-bad-state', file({ kind: 'socket' })],
    ['a key that is not expected', 'wasi-bad-state', file({ extra: 1 })],
    ['a prototype', 'wasi-bad-state', (state) => ({ ...state, ...JSON.parse('{"__proto__": {"a": 1}, "b": 2}') })],
    [
      'a number twice',
      'wasi-bad-state',
      (state) => ({ ...state, descriptors: [...state.descriptors, state.descriptors[4]] }),
    ],
    ['a huge number', 'wasi-bad-state', all((entry) => (entry.fd === 4 ? { ...entry, fd: 2 ** 31 } : entry))],
    ['a file without facts', 'wasi-bad-state', all((entry) => ({ ...entry, file: null }))],
    [
      'a granted directory that is none',
      'wasi-bad-state',
      all((entry) =>
        entry.descriptor.kind === 'directory'
          ? { ...entry, descriptor: { ...entry.descriptor, preopened: true } }
          : entry,
      ),
    ],
    [
      'a clock that is no number',
      'wasi-bad-state',
      (state) => ({ ...state, clocks: { ...state.clocks, monotonic: '1e9' } }),
    ],
    [
      'a clock beyond 64 bits',
      'wasi-bad-state',
      (state) => ({ ...state, clocks: { ...state.clocks, monotonic: String(2n ** 64n) } }),
    ],
    [
      'a sleep in the future',
      'wasi-bad-state',
      (state) => ({
        ...state,
        pendingPoll: { subscriptions: 0, events: 0, count: 1, startedAt: String(2n ** 63n) },
      }),
    ],
    ['a random state of zeros', 'wasi-bad-state', (state) => ({ ...state, random: [0, 0, 0, 0] })],
    ['an argument with a NUL', 'wasi-bad-state', (state) => ({ ...state, args: ['a\0b'] })],
    ['nothing', 'wasi-bad-state', () => null],
  ];

  test.each(hostile)('%s (%s), and opens nothing', (_, code, damage) => {
    const { state, options } = saved();
    // What comes out of a snapshot is of no type yet.
    const damaged: WasiState = JSON.parse(JSON.stringify(damage(state)));
    expect(refusalOf(damaged, options).code).toBe(code);
  });

  test('a file that cannot be opened, and closes those that were', () => {
    const { state, options } = saved();
    let closed = 0;
    const [preopen] = options.preopens;
    if (preopen === undefined) throw new Error('no directory');
    const { root } = preopen;
    const open = root.open.bind(root);
    root.open = (name, how) => {
      if (name === 'sub') return root.open('missing', how);
      const opened = open(name, how);
      const close = opened.close.bind(opened);
      opened.close = () => {
        closed += 1;
        close();
      };
      return opened;
    };
    expect(errorOf(() => restoreWasi(state, options))).toMatchObject({ code: 'wasi-cannot-reopen', fd: 5 });
    expect(closed).toBe(1);
  });
});
