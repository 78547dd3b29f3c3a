/** The file system in memory against the real one: the same calls must give the same results, errors included. */

import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createMemoryDirectory, createWasi, type Directory } from '../wasi/index.js';
import { directoryRights, fileRights } from '../wasi/rights.js';
import { rootFd, testOptions, WasiGuest } from '../wasi/wasi-guest.test.support.js';
import { HostDirectory, openHostDirectory } from './host-filesystem.js';
import { PathAnchor } from './host-filesystem-anchor.js';

const path = fc.constantFrom(
  'a',
  'b',
  'd',
  'd/a',
  'd/b',
  'd/e',
  'd/e/a',
  'a/b',
  'l',
  'l/a',
  './d/../a',
  'd/',
  'a/',
  '.',
  '../a',
  'd/..',
);
const file = fc.record({
  do: fc.constant('file' as const),
  path,
  flags: fc.integer({ min: 0, max: 15 }),
  text: fc.string({ maxLength: 5 }),
  fdFlags: fc.constantFrom(0, 1),
});
const read = fc.record({ do: fc.constant('read' as const), path, follow: fc.boolean() });
const make = fc.record({
  do: fc.constantFrom('mkdir' as const, 'rmdir' as const, 'unlink' as const, 'list' as const, 'readlink' as const),
  path,
});
const two = fc.record({ do: fc.constantFrom('rename' as const, 'link' as const), path, to: path });
const symlink = fc.record({
  do: fc.constant('symlink' as const),
  path,
  to: fc.constantFrom('a', 'd', '../a', 'd/e', 'l', 'nowhere', 'd/'),
});
const stat = fc.record({ do: fc.constant('stat' as const), path, follow: fc.boolean() });

type Step = typeof file extends fc.Arbitrary<infer F> ? F | Other : never;
type Other =
  | ValueOf<typeof read>
  | ValueOf<typeof make>
  | ValueOf<typeof two>
  | ValueOf<typeof symlink>
  | ValueOf<typeof stat>;
type ValueOf<T> = T extends fc.Arbitrary<infer V> ? V : never;

/** What a guest sees of one step. */
function take(g: WasiGuest, step: Step): unknown {
  switch (step.do) {
    case 'file': {
      const opened = g.tryOpen(step.path, {
        flags: step.flags,
        rights: fileRights,
        inheriting: 0,
        fdFlags: step.fdFlags,
      });
      if (opened.error !== 0) return opened.error;
      const written = g.write(opened.fd, step.text);
      const offset = g.tell(opened.fd);
      g.must('fd_close', opened.fd);
      return [written, offset];
    }
    case 'read': {
      const opened = g.tryOpen(step.path, { rights: 2 + 4, inheriting: 0, follow: step.follow });
      if (opened.error !== 0) return opened.error;
      const buffer = g.room(64);
      const error = g.call('fd_read', opened.fd, ...g.buffer(buffer, 64), 512);
      g.must('fd_close', opened.fd);
      return error === 0 ? g.text(buffer, g.view.getUint32(512, true)) : error;
    }
    case 'mkdir':
      return g.call('path_create_directory', rootFd, ...g.path(step.path));
    case 'rmdir':
      return g.call('path_remove_directory', rootFd, ...g.path(step.path));
    case 'unlink':
      return g.call('path_unlink_file', rootFd, ...g.path(step.path));
    case 'list': {
      const opened = g.tryOpen(step.path, { flags: 2, rights: directoryRights, inheriting: 0 });
      if (opened.error !== 0) return opened.error;
      const { names } = g.list(opened.fd);
      g.must('fd_close', opened.fd);
      return names;
    }
    case 'readlink': {
      const error = g.call('path_readlink', rootFd, ...g.path(step.path), 512, 64, 600);
      return error === 0 ? g.text(512, g.view.getUint32(600, true)) : error;
    }
    case 'rename':
      return g.call('path_rename', rootFd, ...g.path(step.path), rootFd, ...g.path(step.to));
    case 'link':
      return g.call('path_link', rootFd, 0, ...g.path(step.path), rootFd, ...g.path(step.to));
    case 'symlink':
      return g.call('path_symlink', ...g.path(step.to), rootFd, ...g.path(step.path));
    case 'stat': {
      const error = g.call('path_filestat_get', rootFd, step.follow ? 1 : 0, ...g.path(step.path), 512);
      if (error !== 0) return error;
      const type = g.view.getUint8(512 + 16);
      // The sizes and link counts of directories are each file system's own.
      return type === 3 ? type : [type, g.view.getBigUint64(512 + 24, true), g.view.getBigUint64(512 + 32, true)];
    }
  }
}

const onLinux = process.platform === 'linux' ? test.each : test.skip.each;

onLinux([
  ['held by a descriptor', openHostDirectory],
  ['held by its path', (place: string) => new HostDirectory(new PathAnchor(realpathSync.native(place)))],
])('a directory in memory and one of the host %s behave alike, whatever a guest does', (_, openRoot) => {
  const steps = fc.array(fc.oneof(file, read, make, two, symlink, stat), { maxLength: 80, size: 'max' });
  fc.assert(
    fc.property(steps, (script) => {
      const place = mkdtempSync(join(tmpdir(), 'mvvm-parity-'));
      const run = (root: Directory): unknown[] => {
        const g = new WasiGuest(createWasi(testOptions({ preopens: [{ guest: '/', root }] })));
        g.must('path_create_directory', rootFd, ...g.path('d'));
        return script.map((step) => take(g, step));
      };
      try {
        const root = openRoot(place);
        const onHost = run(root);
        root.close();
        expect(run(createMemoryDirectory())).toEqual(onHost);
      } finally {
        rmSync(place, { recursive: true, force: true });
      }
    }),
    { numRuns: 150, seed: 20_240_607 },
  );
});
