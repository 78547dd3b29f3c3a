/** What is granted: checked, and as descriptors from 3 on. */

import { badPreopenName, WasiError } from './diagnostics.js';
import type { FdTable } from './fd-table.js';
import type { Preopen } from './filesystem.js';
import { changingRights, directoryRights, inheritableRights } from './rights.js';

/** Rights of the granted directory itself. */
export function grantedBase(preopen: Preopen): number {
  return preopen.readOnly === true ? directoryRights & ~changingRights : directoryRights;
}

/** Rights of whatever is opened below it. */
export function grantedInheriting(preopen: Preopen): number {
  return preopen.readOnly === true ? inheritableRights & ~changingRights : inheritableRights;
}

/** @throws {WasiError} for a name that is empty, too long or used twice */
export function checkPreopens(preopens: readonly Preopen[]): void {
  const seen = new Set<string>();
  for (const { guest } of preopens) {
    if (guest === '' || guest.length > 4096 || guest.includes('\0') || seen.has(guest)) {
      throw new WasiError(badPreopenName(guest));
    }
    seen.add(guest);
  }
}

export function addPreopens(table: FdTable, preopens: readonly Preopen[]): void {
  for (const preopen of preopens) {
    const data = {
      kind: 'directory',
      rights: grantedBase(preopen),
      inheriting: grantedInheriting(preopen),
      flags: 0,
      place: { preopen: preopen.guest, path: [] },
      preopened: true,
      listing: null,
    } as const;
    table.add({ kind: 'directory', data: { ...data }, directory: preopen.root, owned: false });
  }
}
