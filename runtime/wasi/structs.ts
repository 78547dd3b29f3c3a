/**
 * Structures in the guest's memory. Offsets are in bytes, numbers little-endian. Where `wasi_unstable` differs it says so.
 *
 *     fdstat (24)     0 u8 type · 2 u16 flags · 8 u64 rights · 16 u64 inheriting
 *     filestat (64)   0 u64 device · 8 u64 inode · 16 u8 type · 24 u64 links · 32 u64 size · 40 48 56 u64 times
 *       unstable (56)                             16 u8 type · 20 u32 links · 24 u64 size · 32 40 48 u64 times
 *     dirent (24)     0 u64 next cookie · 8 u64 inode · 16 u32 name's length · 20 u8 type
 *     event (32)      0 u64 userdata · 8 u16 error · 10 u8 type · 16 u64 bytes · 24 u16 flags
 *     subscription (48)  0 u64 userdata · 8 u8 type · clock: 16 u32 id · 24 u64 timeout · 32 u64 precision · 40 u16 flags
 *                                                   · fd:    16 u32 fd
 *       unstable (56)  clock: 16 u64 identifier · 24 u32 id · 32 u64 timeout · 40 u64 precision · 48 u16 flags
 */

import type { ListedName } from './descriptors.js';
import type { FileStat } from './filesystem.js';
import { type Dialect, eventType, type FileType, fileTypeCode, subscriptionFlag } from './flags.js';
import type { GuestMemory } from './guest-memory.js';

export const fdstatSize: number = 24;
export const direntSize: number = 24;
export const eventSize: number = 32;

export function filestatSize(dialect: Dialect): number {
  return dialect === 'wasi_unstable' ? 56 : 64;
}

export function subscriptionSize(dialect: Dialect): number {
  return dialect === 'wasi_unstable' ? 56 : 48;
}

export interface FdStat {
  readonly type: FileType;
  readonly flags: number;
  readonly rights: number;
  readonly inheriting: number;
}

export function writeFdStat(memory: GuestMemory, address: number, stat: FdStat): void {
  const view = new DataView(new ArrayBuffer(fdstatSize));
  view.setUint8(0, fileTypeCode(stat.type));
  view.setUint16(2, stat.flags, true);
  view.setUint32(8, stat.rights, true);
  view.setUint32(16, stat.inheriting, true);
  memory.write(address, new Uint8Array(view.buffer));
}

export function writeFileStat(memory: GuestMemory, address: number, stat: FileStat, dialect: Dialect): void {
  const view = new DataView(new ArrayBuffer(filestatSize(dialect)));
  view.setBigUint64(0, stat.device, true);
  view.setBigUint64(8, stat.inode, true);
  view.setUint8(16, fileTypeCode(stat.type));
  const isOld = dialect === 'wasi_unstable';
  if (isOld) view.setUint32(20, Number(BigInt.asUintN(32, stat.links)), true);
  else view.setBigUint64(24, stat.links, true);
  [BigInt(stat.size), stat.accessed, stat.modified, stat.changed].forEach((value, index) => {
    view.setBigUint64((isOld ? 24 : 32) + index * 8, BigInt.asUintN(64, value), true);
  });
  memory.write(address, new Uint8Array(view.buffer));
}

/** A directory entry and its name behind it. */
export function encodeDirent(entry: ListedName, name: Uint8Array, next: bigint): Uint8Array {
  const bytes = new Uint8Array(direntSize + name.length);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, next, true);
  view.setBigUint64(8, BigInt(entry.inode), true);
  view.setUint32(16, name.length, true);
  view.setUint8(20, fileTypeCode(entry.type));
  bytes.set(name, direntSize);
  return bytes;
}

export interface ClockSubscription {
  readonly kind: 'clock';
  readonly userdata: bigint;
  readonly clock: number;
  /** Nanoseconds, or a point in time when `absolute`. */
  readonly timeout: bigint;
  readonly absolute: boolean;
}

export interface FdSubscription {
  readonly kind: 'fd';
  readonly userdata: bigint;
  readonly type: number;
  readonly fd: number;
}

/** The type is none of those that exist. */
export interface UnknownSubscription {
  readonly kind: 'unknown';
  readonly userdata: bigint;
  readonly type: number;
}

export type Subscription = ClockSubscription | FdSubscription | UnknownSubscription;

export function readSubscription(memory: GuestMemory, address: number, dialect: Dialect): Subscription {
  const userdata = memory.readU64(address);
  const type = memory.readU8(address + 8);
  if (type === eventType.clock) {
    const clock = address + (dialect === 'wasi_unstable' ? 24 : 16);
    return {
      kind: 'clock',
      userdata,
      clock: memory.readU32(clock),
      timeout: memory.readU64(clock + 8),
      absolute: (memory.readU16(clock + 24) & subscriptionFlag.absoluteTime) !== 0,
    };
  }
  if (type === eventType.fdRead || type === eventType.fdWrite) {
    return { kind: 'fd', userdata, type, fd: memory.readU32(address + 16) };
  }
  return { kind: 'unknown', userdata, type };
}

export interface Event {
  readonly userdata: bigint;
  readonly error: number;
  readonly type: number;
  readonly bytes: bigint;
  readonly flags: number;
}

export function writeEvent(memory: GuestMemory, address: number, event: Event): void {
  const view = new DataView(new ArrayBuffer(eventSize));
  view.setBigUint64(0, event.userdata, true);
  view.setUint16(8, event.error, true);
  view.setUint8(10, event.type);
  view.setBigUint64(16, event.bytes, true);
  view.setUint16(24, event.flags, true);
  memory.write(address, new Uint8Array(view.buffer));
}
