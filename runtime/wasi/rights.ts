/**
 * Rights of descriptors: a bit each. WASI passes them as 64 bits, but only the low 30 have a meaning, so they are kept
 * as numbers. A descriptor has the rights to be used itself (base) and those that what is opened under it may have
 * (inheriting).
 */

export const right = {
  fdDatasync: 0x1,
  fdRead: 0x2,
  fdSeek: 0x4,
  fdFdstatSetFlags: 0x8,
  fdSync: 0x10,
  fdTell: 0x20,
  fdWrite: 0x40,
  fdAdvise: 0x80,
  fdAllocate: 0x100,
  pathCreateDirectory: 0x200,
  pathCreateFile: 0x400,
  pathLinkSource: 0x800,
  pathLinkTarget: 0x1000,
  pathOpen: 0x2000,
  fdReaddir: 0x4000,
  pathReadlink: 0x8000,
  pathRenameSource: 0x10000,
  pathRenameTarget: 0x20000,
  pathFilestatGet: 0x40000,
  pathFilestatSetSize: 0x80000,
  pathFilestatSetTimes: 0x100000,
  fdFilestatGet: 0x200000,
  fdFilestatSetSize: 0x400000,
  fdFilestatSetTimes: 0x800000,
  pathSymlink: 0x1000000,
  pathRemoveDirectory: 0x2000000,
  pathUnlinkFile: 0x4000000,
  pollFdReadwrite: 0x8000000,
  sockShutdown: 0x10000000,
  sockAccept: 0x20000000,
} as const;

export const allRights: number = 2 ** 30 - 1;

/** What can be done with a file. */
export const fileRights: number =
  right.fdDatasync |
  right.fdRead |
  right.fdSeek |
  right.fdFdstatSetFlags |
  right.fdSync |
  right.fdTell |
  right.fdWrite |
  right.fdAdvise |
  right.fdAllocate |
  right.fdFilestatGet |
  right.fdFilestatSetSize |
  right.fdFilestatSetTimes |
  right.pollFdReadwrite;

/** What can be done with a directory itself and with the names in it. */
export const directoryRights: number =
  right.fdFdstatSetFlags |
  right.fdSync |
  right.fdAdvise |
  right.pathCreateDirectory |
  right.pathCreateFile |
  right.pathLinkSource |
  right.pathLinkTarget |
  right.pathOpen |
  right.fdReaddir |
  right.pathReadlink |
  right.pathRenameSource |
  right.pathRenameTarget |
  right.pathFilestatGet |
  right.pathFilestatSetSize |
  right.pathFilestatSetTimes |
  right.fdFilestatGet |
  right.fdFilestatSetTimes |
  right.pathSymlink |
  right.pathRemoveDirectory |
  right.pathUnlinkFile |
  right.pollFdReadwrite;

/** What a directory passes on to what is opened under it. */
export const inheritableRights: number = fileRights | directoryRights;

/** Standard streams cannot seek. A C library takes that, and the file type, for the sign of a terminal. */
export const stdioRights: number =
  right.fdRead |
  right.fdWrite |
  right.fdFdstatSetFlags |
  right.fdSync |
  right.fdDatasync |
  right.fdFilestatGet |
  right.pollFdReadwrite;

export const socketRights: number =
  right.fdRead |
  right.fdWrite |
  right.fdFdstatSetFlags |
  right.fdFilestatGet |
  right.pollFdReadwrite |
  right.sockShutdown |
  right.sockAccept;

/** Rights with which something can be changed: all that a read-only grant takes away. */
export const changingRights: number =
  right.fdWrite |
  right.fdAllocate |
  right.fdFilestatSetSize |
  right.fdFilestatSetTimes |
  right.pathCreateDirectory |
  right.pathCreateFile |
  right.pathLinkSource |
  right.pathLinkTarget |
  right.pathRenameSource |
  right.pathRenameTarget |
  right.pathFilestatSetSize |
  right.pathFilestatSetTimes |
  right.pathSymlink |
  right.pathRemoveDirectory |
  right.pathUnlinkFile;

/** Whether `rights` has every bit of `wanted`. */
export function includesRights(rights: number, wanted: number): boolean {
  return (wanted & ~rights) === 0;
}

/** The rights in 64 bits of the guest; bits without a meaning apply to nothing and are left out. */
export function readRights(word: bigint): number {
  return Number(BigInt.asUintN(30, word));
}

/** Whether the guest named a right that does not exist. */
export function namesUnknownRights(word: bigint): boolean {
  return BigInt.asUintN(64, word) >> 30n !== 0n;
}
