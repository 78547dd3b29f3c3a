/** Taking down the state of a guest's WASI. What could not be restored is refused here, and the program goes on. */

import type { WasiContext } from './context.js';
import type { DirectoryDescriptor, FileDescriptor, Place } from './descriptors.js';
import {
  cannotSaveMissingFile,
  cannotSaveSocket,
  cannotSaveSpecialFile,
  cannotSync,
  WasiError,
} from './diagnostics.js';
import { ErrnoError, errnoOf } from './errno.js';
import type { OpenDescriptor, OpenFile } from './fd-table.js';
import type { FileStat } from './filesystem.js';
import { showPlace, statAtPlace } from './places.js';
import { saveSocket } from './socket-restore.js';
import type { SavedEntry, WasiState } from './state.js';

/**
 * Files that are open for writing are on the disk when this returns: a snapshot must not be younger than its files.
 *
 * @throws {WasiError} naming the descriptor that cannot be saved
 */
export function saveState(context: WasiContext): WasiState {
  const entries = context.table.entries();
  if (entries.some(([, open]) => open.kind === 'socket' && open.network !== null)) context.network?.host.settle();
  const descriptors = entries.map(([fd, open]) => saveDescriptor(context, fd, open));
  const readings = context.clocks.save();
  const { pendingPoll } = context;
  return {
    args: [...context.args],
    env: [...context.env],
    descriptors,
    clocks: {
      monotonic: String(readings.monotonic),
      cpuTime: String(readings.cpuTime),
      realtime: String(readings.realtime),
      virtual: context.clocks.isVirtual,
    },
    random: context.random.save(),
    pendingPoll: pendingPoll === null ? null : { ...pendingPoll, startedAt: String(pendingPoll.startedAt) },
  };
}

function saveDescriptor(context: WasiContext, fd: number, open: OpenDescriptor): SavedEntry {
  switch (open.kind) {
    case 'socket':
      if (open.network === null) throw new WasiError(cannotSaveSocket(fd));
      return { fd, descriptor: saveSocket(open), file: null };
    case 'stdio':
      return { fd, descriptor: { ...open.data }, file: null };
    case 'directory':
      requireStillThere(context, fd, open.data, open.directory.stat());
      return { fd, descriptor: { ...open.data }, file: null };
    case 'file': {
      const { type } = open.file.stat();
      if (type !== 'regular-file') throw new WasiError(cannotSaveSpecialFile(fd, showPlace(open.data.place), type));
      if (open.data.write) syncBeforeSaving(fd, open);
      const stat = open.file.stat();
      requireStillThere(context, fd, open.data, stat);
      return { fd, descriptor: { ...open.data }, file: { size: stat.size, modified: String(stat.modified) } };
    }
  }
}

function syncBeforeSaving(fd: number, { data, file }: OpenFile): void {
  const error = errnoOf(() => file.sync(false));
  if (error !== undefined) throw new WasiError(cannotSync(fd, showPlace(data.place), error));
}

/** The recorded place must lead to what is open, and not to something else that took its name. */
function requireStillThere(
  context: WasiContext,
  fd: number,
  { place }: FileDescriptor | DirectoryDescriptor,
  open: FileStat,
): void {
  const named = statIfThere(context, place);
  if (named === undefined || named.device !== open.device || named.inode !== open.inode) {
    throw new WasiError(cannotSaveMissingFile(fd, showPlace(place)));
  }
}

function statIfThere(context: WasiContext, place: Place): FileStat | undefined {
  const root = context.preopens.find(({ guest }) => guest === place.preopen)?.root;
  if (root === undefined) return undefined;
  try {
    return statAtPlace(root, place.path);
  } catch (error) {
    if (error instanceof ErrnoError) return undefined;
    throw error;
  }
}
