/** path_* but path_open. */

import { encodeUtf8 } from '../../abi/index.js';
import type { CallTable, Guard } from '../call-table.js';
import type { WasiContext } from '../context.js';
import { errno, fail } from '../errno.js';
import type { OpenDirectory } from '../fd-table.js';
import { type Dialect, lookupFlag } from '../flags.js';
import { type Resolved, resolvePath } from '../path-resolver.js';
import { renamePlaces } from '../place-renaming.js';
import { right } from '../rights.js';
import { filestatSize, writeFileStat } from '../structs.js';
import { readTimes } from '../times.js';

export function pathCalls(context: WasiContext, guard: Guard, dialect: Dialect): CallTable {
  const { clocks, memory, table } = context;
  const follows = (lookup: number): boolean => (lookup & lookupFlag.symlinkFollow) !== 0;

  return {
    path_create_directory: guard((fd: number, path: number, length: number) => {
      const { directory } = table.directory(fd, right.pathCreateDirectory);
      resolvePath(directory, trimSlashes(memory.path(path, length)), false, (found) => {
        if (found.name === '.') fail(errno.exist);
        found.directory.createDirectory(found.name);
      });
    }),

    path_remove_directory: guard((fd: number, path: number, length: number) => {
      const { directory } = table.directory(fd, right.pathRemoveDirectory);
      resolvePath(directory, trimSlashes(memory.path(path, length)), false, (found) => {
        found.directory.removeDirectory(nameInParent(found));
      });
    }),

    path_unlink_file: guard((fd: number, path: number, length: number) => {
      const { directory } = table.directory(fd, right.pathUnlinkFile);
      resolvePath(directory, memory.path(path, length), false, (found) => {
        if (found.name === '.') fail(errno.isdir);
        if (found.mustBeDirectory)
          fail(found.directory.statOf(found.name).type === 'directory' ? errno.isdir : errno.notdir);
        found.directory.unlink(found.name);
      });
    }),

    path_symlink: guard((target: number, targetLength: number, fd: number, path: number, length: number) => {
      const { directory } = table.directory(fd, right.pathSymlink);
      const to = memory.path(target, targetLength);
      if (to === '') fail(errno.noent);
      // Such a link would lead nowhere for a guest, but astray a host program that comes upon it.
      if (to.startsWith('/')) fail(errno.notcapable);
      resolvePath(directory, memory.path(path, length), false, (found) => {
        if (found.name === '.') fail(errno.exist);
        if (found.mustBeDirectory) fail(exists(found) ? errno.exist : errno.noent);
        found.directory.symlink(to, found.name);
      });
    }),

    path_readlink: guard((fd: number, path: number, length: number, address: number, room: number, result: number) => {
      const { directory } = table.directory(fd, right.pathReadlink);
      memory.range(address, room);
      memory.range(result, 4);
      resolvePath(directory, memory.path(path, length), false, (found) => {
        if (found.name === '.') fail(errno.inval);
        const target = encodeUtf8(found.directory.readlink(found.name)).subarray(0, room >>> 0);
        memory.write(address, target);
        memory.writeU32(result, target.length);
      });
    }),

    path_link: guard(
      (oldFd: number, lookup: number, old: number, oldLength: number, newFd: number, path: number, length: number) => {
        const source = table.directory(oldFd, right.pathLinkSource);
        const target = table.directory(newFd, right.pathLinkTarget);
        // As everywhere, a link to a symbolic link is one to the link itself; to follow it is not offered.
        if (follows(lookup)) fail(errno.inval);
        inBoth(source, memory.path(old, oldLength), target, memory.path(path, length), (from, to) => {
          if (from.name === '.') fail(errno.perm);
          if (to.name === '.') fail(errno.exist);
          if (to.mustBeDirectory) fail(exists(to) ? errno.exist : errno.noent);
          if (from.mustBeDirectory) fail(errno.notdir);
          from.directory.link(from.name, to.directory, to.name);
        });
      },
    ),

    path_rename: guard((oldFd: number, old: number, oldLength: number, newFd: number, path: number, length: number) => {
      const source = table.directory(oldFd, right.pathRenameSource);
      const target = table.directory(newFd, right.pathRenameTarget);
      inBoth(source, memory.path(old, oldLength), target, memory.path(path, length), (from, to) => {
        if (from.name === '.' || to.name === '.') fail(errno.busy);
        const isDirectory = from.directory.statOf(from.name).type === 'directory';
        if (!isDirectory && (from.mustBeDirectory || to.mustBeDirectory)) fail(errno.notdir);
        from.directory.rename(from.name, to.directory, to.name);
        renamePlaces(table, placeOf(source, from), placeOf(target, to));
      });
    }),

    path_filestat_get: guard((fd: number, lookup: number, path: number, length: number, result: number) => {
      const { directory } = table.directory(fd, right.pathFilestatGet);
      memory.range(result, filestatSize(dialect));
      resolvePath(directory, memory.path(path, length), follows(lookup), (found) => {
        const stat = found.directory.statOf(found.name);
        if (found.mustBeDirectory && stat.type !== 'directory') fail(errno.notdir);
        writeFileStat(memory, result, stat, dialect);
      });
    }),

    path_filestat_set_times: guard(
      (fd: number, lookup: number, path: number, length: number, accessed: bigint, modified: bigint, flags: number) => {
        const { directory } = table.directory(fd, right.pathFilestatSetTimes);
        const times = readTimes(accessed, modified, flags, clocks);
        resolvePath(directory, memory.path(path, length), follows(lookup), (found) => {
          const { type } = found.directory.statOf(found.name);
          if (found.mustBeDirectory && type !== 'directory') fail(errno.notdir);
          found.directory.setTimesOf(found.name, times);
        });
      },
    ),
  };
}

function inBoth(
  source: OpenDirectory,
  oldPath: string,
  target: OpenDirectory,
  newPath: string,
  use: (from: Resolved, to: Resolved) => void,
): void {
  resolvePath(source.directory, oldPath, false, (from) =>
    resolvePath(target.directory, newPath, false, (to) => use(from, to)),
  );
}

function placeOf({ data }: OpenDirectory, found: Resolved): { preopen: string; path: string[] } {
  return { preopen: data.place.preopen, path: [...data.place.path, ...found.path, found.name] };
}

function exists(found: Resolved): boolean {
  return found.directory.list().some(({ name }) => name === found.name);
}

/** A directory that is named by a trailing dot, or by `..`, cannot be taken from under itself. */
function nameInParent(found: Resolved): string {
  return found.name === '.' ? fail(errno.inval) : found.name;
}

/** For what makes or removes a directory a trailing slash says nothing, and must not have a link followed. */
function trimSlashes(path: string): string {
  const trimmed = path.replace(/\/+$/, '');
  return trimmed === '' ? path : trimmed;
}
