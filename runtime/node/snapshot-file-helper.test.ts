/** What a helper thread does for whoever writes, besides hashing. */

import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { sampleSnapshot } from '../../fixtures/snapshots/samples.js';
import { writeSnapshotFile } from './snapshot-file.js';
import { nodeFileSystem } from './snapshot-file-system.js';

/** Descriptors of files in this folder, or that were there. */
function openIn(folder: string): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`);
      return path.startsWith(folder) ? [path] : [];
    } catch {
      // The descriptor with which the folder was listed.
      return [];
    }
  });
}

const onLinux = process.platform === 'linux' ? test : test.skip;

onLinux('what is being made durable early is let go of, though the event loop of whoever writes stands still', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mvvm-helper-'));
  const path = join(folder, 'job.snap');
  const pages = 40 * 16;
  const snapshot = sampleSnapshot({ memories: [{ pages, bytes: new Uint8Array(pages * 65_536).fill(1) }] });
  let begun = 0;
  const beginSync = (temporary: string): void => {
    begun += 1;
    nodeFileSystem.beginSync(temporary);
  };
  try {
    // The helper thread is hardly there yet for the first.
    for (let round = 0; round < 4; round++)
      writeSnapshotFile(path, snapshot, { files: { ...nodeFileSystem, beginSync } });
    expect(begun).toBe(4);
    const patience = performance.now() + 10_000;
    const still = new Int32Array(new SharedArrayBuffer(4));
    while (openIn(folder).length > 0 && performance.now() < patience) Atomics.wait(still, 0, 0, 1);
    expect(openIn(folder)).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
