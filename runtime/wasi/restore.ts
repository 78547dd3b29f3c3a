/**
 * From saved state back to open descriptors. The state only names things; what the restorer grants decides. In order:
 * the state itself, the grants, what the files look like now; and only when all of that is good is anything opened.
 */

import * as z from 'zod';
import type { LentNetwork } from './context.js';
import type { Place, SavedDescriptor } from './descriptors.js';
import * as diagnose from './diagnostics.js';
import { WasiError } from './diagnostics.js';
import { ErrnoError, errno } from './errno.js';
import { FdTable, type OpenDescriptor } from './fd-table.js';
import type { FileStat, Preopen } from './filesystem.js';
import { openAtPlace, showPlace, statAtPlace } from './places.js';
import { grantedBase, grantedInheriting } from './preopens.js';
import { allRights, fileRights, includesRights, stdioRights } from './rights.js';
import { type ConnectionChoice, checkSocket, reopenSocket } from './socket-restore.js';
import { type SavedEntry, type WasiState, wasiStateSchema } from './state.js';
import type { Stdio } from './stdio.js';

/** @throws {WasiError} when it is not what saving gives */
export function checkState(value: unknown): WasiState {
  const parsed = wasiStateSchema.safeParse(value);
  if (!parsed.success) throw new WasiError(diagnose.badState(z.prettifyError(parsed.error)));
  const seen = new Set<number>();
  for (const { fd, descriptor, file } of parsed.data.descriptors) {
    if (seen.has(fd)) throw new WasiError(diagnose.duplicateDescriptor(fd));
    seen.add(fd);
    if ((descriptor.kind === 'file') !== (file !== null)) {
      throw new WasiError({ ...diagnose.badState(`descriptor ${fd} has the facts of another kind`), fd });
    }
    if (descriptor.kind === 'directory' && descriptor.preopened && descriptor.place.path.length > 0) {
      throw new WasiError({ ...diagnose.badState(`descriptor ${fd} is no granted directory itself`), fd });
    }
  }
  const { pendingPoll, clocks } = parsed.data;
  if (pendingPoll !== null && BigInt(pendingPoll.startedAt) > BigInt(clocks.monotonic)) {
    throw new WasiError(diagnose.badState('a sleep began after the checkpoint'));
  }
  return parsed.data;
}

/** What who restores lends. */
export interface Lent {
  readonly preopens: readonly Preopen[];
  readonly stdio: Stdio;
  readonly network: LentNetwork | null;
  readonly connections: ConnectionChoice;
}

/** @throws {WasiError} naming the descriptor and the reason; nothing is open then */
export function restoreTable(entries: readonly SavedEntry[], lent: Lent): FdTable {
  for (const entry of entries) checkGrant(entry, lent);
  for (const entry of entries) checkFile(entry, lent.preopens);
  const table = new FdTable();
  try {
    for (const { fd, descriptor } of entries) table.place(fd, reopen(fd, descriptor, lent));
    return table;
  } catch (error) {
    table.closeAll();
    throw error;
  }
}

function checkGrant({ fd, descriptor }: SavedEntry, { preopens, network, connections }: Lent): void {
  const { rights, inheriting } = descriptor;
  if (descriptor.kind === 'stdio') {
    if (!includesRights(stdioRights, rights)) throw new WasiError(diagnose.tooManyRights(fd, undefined));
    return;
  }
  if (descriptor.kind === 'socket') {
    checkSocket(fd, descriptor, network, connections);
    return;
  }
  const grant = grantOf(fd, descriptor.place, preopens);
  const isDirectory = descriptor.kind === 'directory';
  const base = isDirectory ? grantedBase(grant) : grantedInheriting(grant) & fileRights;
  const passedOn = isDirectory ? allRights & grantedInheriting(grant) : 0;
  const writesAgainstGrant = descriptor.kind === 'file' && descriptor.write && grant.readOnly === true;
  if (!includesRights(base, rights) || !includesRights(passedOn, inheriting) || writesAgainstGrant) {
    throw new WasiError(diagnose.tooManyRights(fd, grant.guest));
  }
}

function grantOf(fd: number, place: Place, preopens: readonly Preopen[]): Preopen {
  const grant = preopens.find(({ guest }) => guest === place.preopen);
  if (grant === undefined) throw new WasiError(diagnose.notGranted(fd, place.preopen));
  return grant;
}

function checkFile({ fd, descriptor, file }: SavedEntry, preopens: readonly Preopen[]): void {
  if (descriptor.kind === 'stdio' || descriptor.kind === 'socket') return;
  const { place } = descriptor;
  const grant = grantOf(fd, place, preopens);
  const name = showPlace(place);
  const now = statNow(fd, place, grant);
  const expected = descriptor.kind === 'file' ? 'regular-file' : 'directory';
  if (now.type !== expected) throw new WasiError(diagnose.fileOfOtherKind(fd, name, expected, now.type));
  if (file === null || grant.onChangedFile === 'accept') return;
  // Inodes are not compared: on another machine, or in a copy of the directory, they are all different.
  if (now.size !== file.size) {
    throw new WasiError(diagnose.fileChanged(fd, name, `had ${file.size} bytes and has ${now.size} now`));
  }
  if (milliseconds(now.modified) !== milliseconds(BigInt(file.modified))) {
    throw new WasiError(diagnose.fileChanged(fd, name, 'and was written to since'));
  }
}

/** Of nanoseconds; more than that Deno does not tell, and so not every host that a snapshot may come from or go to. */
function milliseconds(time: bigint): bigint {
  return time / 1_000_000n;
}

function statNow(fd: number, place: Place, grant: Preopen): FileStat {
  try {
    return statAtPlace(grant.root, place.path);
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    const isGone = error.errno === errno.noent || error.errno === errno.notdir || error.errno === errno.loop;
    const reason = isGone
      ? diagnose.fileGone(fd, showPlace(place))
      : diagnose.cannotReopen(fd, showPlace(place), error.errno);
    throw new WasiError(reason);
  }
}

function reopen(fd: number, saved: SavedDescriptor, lent: Lent): OpenDescriptor {
  const { preopens, stdio, network, connections } = lent;
  if (saved.kind === 'stdio') return { kind: 'stdio', data: { ...saved }, stdio };
  if (saved.kind === 'socket') {
    if (network === null) throw new WasiError(diagnose.noNetwork(fd, 'is a socket'));
    return reopenSocket(fd, saved, network, connections);
  }
  const { root } = grantOf(fd, saved.place, preopens);
  if (saved.kind === 'directory' && saved.preopened) {
    return { kind: 'directory', data: { ...saved }, directory: root, owned: false };
  }
  const isDirectory = saved.kind === 'directory';
  const access = isDirectory ? { read: true, write: false } : { read: saved.read, write: saved.write };
  // Never created, truncated or exclusive, however it was opened at first.
  const options = { ...access, create: false, exclusive: false, truncate: false, directory: isDirectory };
  try {
    const opened = openAtPlace(root, saved.place.path, options);
    if (saved.kind === 'file' && opened.kind === 'file') return { kind: 'file', data: { ...saved }, file: opened };
    if (saved.kind === 'directory' && opened.kind === 'directory') {
      return { kind: 'directory', data: { ...saved }, directory: opened, owned: true };
    }
    opened.close();
    throw new ErrnoError(errno.stale);
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    throw new WasiError(diagnose.cannotReopen(fd, showPlace(saved.place), error.errno));
  }
}
