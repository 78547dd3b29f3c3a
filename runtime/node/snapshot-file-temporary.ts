/**
 * Names of the temporary files in which snapshots are written, and the removal of those whose process is gone:
 * `.<target>.<host>-<pid>-<random>.mvvm-tmp`, beside the target, because only there a rename is atomic.
 */

import { createHash, randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { SnapshotFileSystem } from './snapshot-file-system.js';

const SUFFIX = '.mvvm-tmp';

/** Clocks of files and processes differ by a little; a temporary this much older than we are is not ours. */
const CLOCK_SLACK_MS = 5_000;

/** Of hosts that share a folder, each cleans up only after itself: the others' process numbers mean nothing here. */
const host = createHash('sha256').update(hostname()).digest('hex').slice(0, 8);

/** @param pid of the process that writes it */
export function temporaryName(target: string, pid: number = process.pid): string {
  return `.${target}.${host}-${pid}-${randomBytes(6).toString('hex')}${SUFFIX}`;
}

/**
 * Removes what earlier writers of this target, and of the deltas that continue it, left behind when they were killed.
 * Never fails: it is a courtesy.
 */
export function removeStaleTemporaries(files: SnapshotFileSystem, directory: string, target: string): void {
  const prefix = `.${target}.`;
  for (const name of orNothing(() => files.list(directory)) ?? []) {
    if (!name.startsWith(prefix) || !name.endsWith(SUFFIX)) continue;
    const [, writer, pid] = temporaryRest.exec(name.slice(prefix.length, -SUFFIX.length)) ?? [];
    if (writer !== host) continue;
    const path = `${directory}/${name}`;
    orNothing(() => {
      if (isStale(Number(pid), files.modifiedAt(path))) files.remove(path);
    });
  }
}

/** Digest and number of a delta (snapshot-file-chain-names.ts), host, process, random. */
const temporaryRest = /^(?:[0-9a-f]{12}\.\d+\.)?([0-9a-f]{8})-(\d+)-[0-9a-f]{12}$/;

function isStale(pid: number, modifiedAt: number): boolean {
  // Our own number on a file from before our time: another process had it, as in a container that was restarted.
  if (pid === process.pid) return modifiedAt < Date.now() - process.uptime() * 1000 - CLOCK_SLACK_MS;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ESRCH';
  }
}

function orNothing<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}
