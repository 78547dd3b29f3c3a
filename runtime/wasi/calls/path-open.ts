/** path_open. */

import type { CallTable, Guard } from '../call-table.js';
import type { WasiContext } from '../context.js';
import { errno, fail } from '../errno.js';
import type { OpenDescriptor } from '../fd-table.js';
import type { Directory, File, OpenOptions } from '../filesystem.js';
import { allFdFlags, allOpenFlags, fdFlag, lookupFlag, openFlag } from '../flags.js';
import { type Resolved, resolvePath } from '../path-resolver.js';
import { directoryRights, fileRights, includesRights, readRights, right } from '../rights.js';

/** Rights that need the file to be opened for writing. */
const writingRights = right.fdWrite | right.fdAllocate | right.fdFilestatSetSize;

interface OpenRequest {
  readonly path: string;
  readonly follow: boolean;
  readonly flags: number;
  readonly rights: number;
  readonly inheriting: number;
  readonly fdFlags: number;
}

export function pathOpenCalls(context: WasiContext, guard: Guard): CallTable {
  const { memory, table } = context;
  return {
    path_open: guard(
      (
        fd: number,
        lookup: number,
        path: number,
        pathLength: number,
        flags: number,
        rights: bigint,
        inheriting: bigint,
        fdFlags: number,
        result: number,
      ) => {
        memory.range(result, 4);
        table.requireRoom();
        const request: OpenRequest = {
          path: memory.path(path, pathLength),
          follow: (lookup & lookupFlag.symlinkFollow) !== 0,
          flags,
          rights: readRights(rights),
          inheriting: readRights(inheriting),
          fdFlags,
        };
        memory.writeU32(result, table.add(openUnder(context, fd, request)));
      },
    ),
  };
}

function openUnder(context: WasiContext, fd: number, request: OpenRequest): OpenDescriptor {
  const { flags, fdFlags } = request;
  if ((flags & ~allOpenFlags) !== 0 || (fdFlags & ~allFdFlags) !== 0) fail(errno.inval);
  if ((flags & openFlag.directory) !== 0 && (flags & openFlag.create) !== 0) fail(errno.inval);

  const base = context.table.directory(fd, neededRights(flags));
  // To be refused what one asked for by name is better than to find out later; the rest is left out without a word, for
  // language runtimes ask for all there is.
  const insisted = (request.rights & (right.fdRead | right.fdWrite)) | rightsOfFlags(fdFlags);
  const passedOn = base.data.inheriting;
  if (!includesRights(passedOn, insisted)) fail(errno.notcapable);
  const granted = { ...request, rights: request.rights & passedOn, inheriting: request.inheriting & passedOn };

  // An exclusive creation must meet the link itself.
  const exclusive = (flags & openFlag.create) !== 0 && (flags & openFlag.exclusive) !== 0;
  return resolvePath(base.directory, request.path, request.follow && !exclusive, (found) => {
    const options = optionsOf(granted, found);
    const opened = found.directory.open(found.name, options);
    const place = {
      preopen: base.data.place.preopen,
      path: [...base.data.place.path, ...found.path, ...(found.name === '.' ? [] : [found.name])],
    };
    return describe(opened, place, options, granted);
  });
}

function describe(
  opened: File | Directory,
  place: { preopen: string; path: string[] },
  options: OpenOptions,
  { rights, inheriting, fdFlags }: OpenRequest,
): OpenDescriptor {
  if (opened.kind === 'directory') {
    const data = {
      rights: rights & directoryRights,
      inheriting,
      flags: fdFlags,
      place,
      preopened: false,
      listing: null,
    };
    return { kind: 'directory', data: { kind: 'directory', ...data }, directory: opened, owned: true };
  }
  const { read, write } = options;
  const data = { rights: rights & fileRights, inheriting: 0, flags: fdFlags, place, read, write, offset: 0 };
  return { kind: 'file', data: { kind: 'file', ...data }, file: opened };
}

function optionsOf({ flags, rights }: OpenRequest, found: Resolved): OpenOptions {
  const create = (flags & openFlag.create) !== 0;
  if (create && found.mustBeDirectory && found.name !== '.') fail(errno.isdir);
  return {
    read: (rights & right.fdRead) !== 0,
    write: (rights & writingRights) !== 0,
    create,
    exclusive: (flags & openFlag.exclusive) !== 0,
    truncate: (flags & openFlag.truncate) !== 0,
    directory: (flags & openFlag.directory) !== 0 || found.mustBeDirectory,
  };
}

function neededRights(flags: number): number {
  return (
    right.pathOpen |
    ((flags & openFlag.create) !== 0 ? right.pathCreateFile : 0) |
    ((flags & openFlag.truncate) !== 0 ? right.pathFilestatSetSize : 0)
  );
}

function rightsOfFlags(fdFlags: number): number {
  return (
    ((fdFlags & (fdFlag.sync | fdFlag.rsync)) !== 0 ? right.fdSync : 0) |
    ((fdFlags & fdFlag.dsync) !== 0 ? right.fdDatasync : 0)
  );
}
