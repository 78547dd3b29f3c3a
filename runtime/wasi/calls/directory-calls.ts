/**
 * fd_readdir. A listing is taken when the guest begins it (cookie 0) and kept as it was until the descriptor is closed
 * or the guest begins again: a cookie is a position in it. So nothing is skipped or listed twice when names come and
 * go meanwhile, and a listing continues after a restore, on another host, at the same name. Names are sorted, which
 * makes listings the same on every host.
 */

import { encodeUtf8 } from '../../abi/index.js';
import type { CallTable, Guard } from '../call-table.js';
import type { WasiContext } from '../context.js';
import type { ListedName } from '../descriptors.js';
import type { OpenDirectory } from '../fd-table.js';
import { right } from '../rights.js';
import { encodeDirent } from '../structs.js';

export function directoryCalls(context: WasiContext, guard: Guard): CallTable {
  const { memory, table } = context;
  return {
    fd_readdir: guard((fd: number, address: number, length: number, cookie: bigint, result: number) => {
      const open = table.directory(fd, right.fdReaddir);
      memory.range(result, 4);
      const room = memory.writable(address, length);
      const from = BigInt.asUintN(64, cookie);
      const listing = from === 0n || open.data.listing === null ? takeListing(open) : open.data.listing;
      open.data.listing = listing;

      let used = 0;
      // A cookie beyond the end, however large, is the end.
      const first = from > BigInt(listing.length) ? listing.length : Number(from);
      for (let index = first; index < listing.length && used < room.length; index++) {
        const entry = listing[index];
        if (entry === undefined) break;
        const dirent = encodeDirent(entry, encodeUtf8(entry.name), BigInt(index + 1));
        // The last entry is cut off where the buffer ends, by which the guest knows that there is more.
        const part = dirent.subarray(0, room.length - used);
        room.set(part, used);
        used += part.length;
      }
      memory.wrote(address, used);
      memory.writeU32(result, used);
    }),
  };
}

function takeListing({ directory }: OpenDirectory): ListedName[] {
  // The number of the directory above is nobody's business at a granted one, and is the directory's own everywhere.
  const inode = String(directory.stat().inode);
  const names = directory.list().map(({ name, inode, type }): ListedName => ({ name, inode: String(inode), type }));
  names.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  return [{ name: '.', inode, type: 'directory' }, { name: '..', inode, type: 'directory' }, ...names];
}
