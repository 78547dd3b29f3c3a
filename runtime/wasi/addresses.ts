/**
 * Internet addresses: as texts in state and messages, as bytes for comparing, as structures in the guest's memory. A text
 * is always the canonical one (RFC 5952), so that equal addresses are equal texts.
 */

import * as z from 'zod';
import { errno, fail } from './errno.js';
import type { GuestMemory } from './guest-memory.js';

export type AddressFamily = 'inet4' | 'inet6';

export interface SocketAddress {
  /** Canonical: `127.0.0.1`, `::1`. */
  readonly ip: string;
  readonly port: number;
}

/** The bytes of an address, 4 or 16, most significant first; undefined when the text is none. A zone is left out. */
export function parseIp(text: string): readonly number[] | undefined {
  if (!text.includes(':')) return parseIp4(text);
  const [address = ''] = text.split('%', 1);
  const halves = address.split('::');
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half, index) => parseGroups(half, index === halves.length - 1));
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined;
  if (tail === undefined) return head.length === 16 ? head : undefined;
  const missing = 16 - head.length - tail.length;
  // `::` stands for at least one group.
  return missing < 2 ? undefined : [...head, ...new Array<number>(missing).fill(0), ...tail];
}

function parseIp4(text: string): number[] | undefined {
  const parts = text.split('.');
  // A leading zero would mean octal to some, decimal to others.
  const good = parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256);
  return good ? parts.map(Number) : undefined;
}

/** Groups of an IPv6 address, the very last of which may be an IPv4 address. */
function parseGroups(text: string, isLast: boolean): number[] | undefined {
  if (text === '') return [];
  const bytes: number[] = [];
  const groups = text.split(':');
  for (const [index, group] of groups.entries()) {
    if (group.includes('.')) {
      const last = isLast && index === groups.length - 1 ? parseIp4(group) : undefined;
      if (last === undefined) return undefined;
      bytes.push(...last);
    } else if (/^[0-9a-f]{1,4}$/i.test(group)) {
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    } else {
      return undefined;
    }
  }
  return bytes;
}

/** The canonical text of 4 or 16 bytes. */
export function formatIp(bytes: readonly number[]): string {
  if (bytes.length === 4) return bytes.join('.');
  const mapped = unmapped(bytes);
  if (mapped.length === 4) return `::ffff:${mapped.join('.')}`;
  const groups = groupsOf(bytes);
  const { start, length } = longestRunOfZeros(groups);
  const texts = groups.map((group) => group.toString(16));
  if (length < 2) return texts.join(':');
  return `${texts.slice(0, start).join(':')}::${texts.slice(start + length).join(':')}`;
}

/** The IPv4 address that an IPv6 one stands for (`::ffff:127.0.0.1`); any other as it is. */
export function unmapped(bytes: readonly number[]): readonly number[] {
  const isMapped = bytes.length === 16 && bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff;
  return isMapped && bytes[11] === 0xff ? bytes.slice(12) : bytes;
}

function groupsOf(bytes: readonly number[]): number[] {
  return Array.from({ length: 8 }, (_, index) => ((bytes[index * 2] ?? 0) << 8) | (bytes[index * 2 + 1] ?? 0));
}

function longestRunOfZeros(groups: readonly number[]): { start: number; length: number } {
  let longest = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let length = 0;
    while (groups[start + length] === 0) length += 1;
    if (length > longest.length) longest = { start, length };
  }
  return longest;
}

/** The canonical text of an address, which the host gives in any form. */
export function canonicalIp(text: string): string | undefined {
  const bytes = parseIp(text);
  return bytes === undefined ? undefined : formatIp(bytes);
}

export function familyOf({ ip }: SocketAddress): AddressFamily {
  return ip.includes(':') ? 'inet6' : 'inet4';
}

/** `127.0.0.1:80`, `[::1]:80`. */
export function showAddress(address: SocketAddress): string {
  return familyOf(address) === 'inet6' ? `[${address.ip}]:${address.port}` : `${address.ip}:${address.port}`;
}

/** Every address of this machine, and any port. */
export function anyAddress(family: AddressFamily): SocketAddress {
  return { ip: family === 'inet4' ? '0.0.0.0' : '::', port: 0 };
}

/** Where a connection to this address goes: to no machine at all means to this one. */
export function destinationOf({ ip, port }: SocketAddress): SocketAddress {
  const bytes = parseIp(ip) ?? [];
  if (unmapped(bytes).some((byte) => byte !== 0)) return { ip, port };
  return { ip: ip === '::' ? '::1' : '127.0.0.1', port };
}

/** An address without a port, as text. */
export const ipSchema: z.ZodType<string> = z
  .string()
  .max(45)
  .refine((ip) => canonicalIp(ip) === ip, 'is no address in its canonical form');

export const socketAddressSchema: z.ZodType<SocketAddress> = z.strictObject({
  ip: ipSchema,
  port: z.number().int().min(0).max(65_535),
});

/**
 * Structures of WAMR's socket extension. Numbers are little-endian, ports and the groups of IPv6 addresses included.
 *
 *     address (24)       0 u32 kind, 0 or 1 · IPv4: 4 u8[4] · 8 u16 port · IPv6: 4 u16[8] · 20 u16 port
 *     bare address (20)  0 u32 kind · 4 as above, without a port
 */
export const addressSize: number = 24;

const kinds: readonly AddressFamily[] = ['inet4', 'inet6'];

/** EAFNOSUPPORT for an unknown kind. */
export function readAddress(memory: GuestMemory, address: number): SocketAddress {
  const start = memory.range(address, addressSize);
  const bytes = readIp(memory, start);
  return { ip: formatIp(bytes), port: memory.readU16(start + 4 + bytes.length) };
}

/** A bare address, as text. */
export function readBareAddress(memory: GuestMemory, address: number): string {
  return formatIp(readIp(memory, memory.range(address, 20)));
}

function readIp(memory: GuestMemory, start: number): number[] {
  const family = kinds[memory.readU32(start)] ?? fail(errno.afnosupport);
  if (family === 'inet4') return Array.from(memory.bytes(start + 4, 4));
  return Array.from({ length: 8 }, (_, index) => memory.readU16(start + 4 + index * 2)).flatMap((group) => [
    group >> 8,
    group & 0xff,
  ]);
}

export function writeAddress(memory: GuestMemory, address: number, { ip, port }: SocketAddress): void {
  const bytes = parseIp(ip) ?? fail(errno.afnosupport);
  const view = new DataView(new ArrayBuffer(addressSize));
  view.setUint32(0, bytes.length === 4 ? 0 : 1, true);
  if (bytes.length === 4) for (const [index, byte] of bytes.entries()) view.setUint8(4 + index, byte);
  else for (const [index, group] of groupsOf(bytes).entries()) view.setUint16(4 + index * 2, group, true);
  view.setUint16(4 + bytes.length, port, true);
  memory.write(address, new Uint8Array(view.buffer));
}
