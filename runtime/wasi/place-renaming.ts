/** Keeps the places of open descriptors true when the guest renames what they name, or a directory above it. */

import type { Place } from './descriptors.js';
import type { FdTable } from './fd-table.js';

export function renamePlaces(table: FdTable, from: Place, to: Place): void {
  for (const [, { data }] of table.entries()) {
    if (data.kind !== 'file' && data.kind !== 'directory') continue;
    const rest = pathBelow(from, data.place);
    if (rest !== undefined) data.place = { preopen: to.preopen, path: [...to.path, ...rest] };
  }
}

function pathBelow(above: Place, place: Place): readonly string[] | undefined {
  const isBelow = place.preopen === above.preopen && above.path.every((name, index) => place.path[index] === name);
  return isBelow ? place.path.slice(above.path.length) : undefined;
}
