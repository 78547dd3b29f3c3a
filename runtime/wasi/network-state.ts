/** What a snapshot keeps of a socket that the guest opened: plain data, by which it can be opened again. */

import * as z from 'zod';
import {
  type AddressFamily,
  destinationOf,
  familyOf,
  ipSchema,
  type SocketAddress,
  socketAddressSchema,
} from './addresses.js';
import { isBase64 } from './base64.js';

/**
 * - `idle`: opened, perhaps bound; a datagram socket that is not connected stays so
 * - `connecting`: the guest has asked for a connection and does not know yet what came of it
 * - `connected`: by the guest; `accepted`: by the other side
 * - `broken`: its connection ended with the machine that it was saved on
 */
export const socketPhases = ['idle', 'listening', 'connecting', 'connected', 'accepted', 'broken'] as const;
export type SocketPhase = (typeof socketPhases)[number];

export interface NetworkState {
  readonly family: AddressFamily;
  readonly type: 'stream' | 'dgram';
  phase: SocketPhase;
  /** The address that the guest bound it to; null when it did not. */
  bound: SocketAddress | null;
  /** Its own address; null until it has one. */
  local: SocketAddress | null;
  /** Where it is connected to, or is being. */
  remote: SocketAddress | null;
  /** Connections that may wait to be accepted. */
  backlog: number;
  readonly shut: { read: boolean; write: boolean };
  options: SocketOptions;
}

/** Options as the guest set them. Buffers in bytes, times in seconds unless named otherwise. */
export interface SocketOptions {
  readonly reuseAddress: boolean;
  readonly keepAlive: boolean;
  readonly keepIdle: number;
  readonly keepInterval: number;
  readonly noDelay: boolean;
  readonly quickAck: boolean;
  readonly fastOpen: boolean;
  /** Null: closing does not wait. */
  readonly linger: number | null;
  readonly receiveBuffer: number;
  readonly sendBuffer: number;
  /** Microseconds, 0 for no limit. */
  readonly receiveTimeout: number;
  readonly sendTimeout: number;
  readonly broadcast: boolean;
  readonly ttl: number;
  readonly multicastLoop: boolean;
  readonly multicastTtl: number;
  readonly ipv6Only: boolean;
  /** Multicast groups that it has joined. */
  readonly groups: readonly string[];
}

export const defaultOptions: SocketOptions = {
  reuseAddress: false,
  keepAlive: false,
  keepIdle: 7200,
  keepInterval: 75,
  noDelay: false,
  quickAck: true,
  fastOpen: false,
  linger: null,
  receiveBuffer: 65_536,
  sendBuffer: 65_536,
  receiveTimeout: 0,
  sendTimeout: 0,
  broadcast: false,
  ttl: 64,
  multicastLoop: true,
  multicastTtl: 1,
  ipv6Only: false,
  groups: [],
};

export function newNetworkState(family: AddressFamily, type: NetworkState['type']): NetworkState {
  return {
    family,
    type,
    phase: 'idle',
    bound: null,
    local: null,
    remote: null,
    backlog: 0,
    shut: { read: false, write: false },
    options: defaultOptions,
  };
}

/** Bytes in base64, as JSON has none. */
export interface SavedUnread {
  readonly bytes: string;
  readonly datagrams: readonly { readonly bytes: string; readonly from: SocketAddress }[];
  readonly ended: boolean;
}

/** Buffers that are as large as the guest wants, within reason: 1 KiB to 4 MiB. */
export const smallestBuffer = 1024;
export const largestBuffer: number = 4 * 1024 * 1024;

export const largestBacklog = 4096;
export const mostGroups = 64;
/** A buffer that is not quite full takes in one more piece of a stream. */
const lastPiece = 65_536;
/** What a datagram takes of a buffer beside its bytes, so that empty ones cannot pile up either. */
export const datagramOverhead = 256;
const largestDatagram = 65_535;

const u32 = z.number().int().min(0).max(0xffffffff);
const buffer = z.number().int().min(smallestBuffer).max(largestBuffer);
const microseconds = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
/** Of at most about so many bytes. */
const base64 = (bytes: number): z.ZodType<string> =>
  z
    .string()
    .max(4 * Math.ceil(bytes / 3))
    .refine(isBase64, 'is no base64');

const optionsSchema: z.ZodType<SocketOptions> = z.strictObject({
  reuseAddress: z.boolean(),
  keepAlive: z.boolean(),
  keepIdle: u32,
  keepInterval: u32,
  noDelay: z.boolean(),
  quickAck: z.boolean(),
  fastOpen: z.boolean(),
  linger: u32.nullable(),
  receiveBuffer: buffer,
  sendBuffer: buffer,
  receiveTimeout: microseconds,
  sendTimeout: microseconds,
  broadcast: z.boolean(),
  ttl: z.number().int().min(1).max(255),
  multicastLoop: z.boolean(),
  multicastTtl: z.number().int().min(0).max(255),
  ipv6Only: z.boolean(),
  groups: z.array(ipSchema).max(mostGroups),
});

/** A connection of datagrams is a destination, which neither listens nor breaks. */
const datagramPhases: readonly SocketPhase[] = ['idle', 'connecting', 'connected'];

/** Where a socket goes is judged by who grants addresses, so that it must be an address that something can be sent to. */
function hasAddressesOfItsPhase({ phase, bound, local, remote }: NetworkState): boolean {
  switch (phase) {
    case 'idle':
      return remote === null && (bound !== null || local === null);
    case 'listening':
      return remote === null && bound !== null;
    case 'connecting':
    case 'connected':
      return remote !== null && remote.port !== 0 && destinationOf(remote).ip === remote.ip;
    default:
      return remote !== null;
  }
}

export const networkStateSchema: z.ZodType<NetworkState> = z
  .strictObject({
    family: z.enum(['inet4', 'inet6']),
    type: z.enum(['stream', 'dgram']),
    phase: z.enum(socketPhases),
    bound: socketAddressSchema.nullable(),
    local: socketAddressSchema.nullable(),
    remote: socketAddressSchema.nullable(),
    backlog: z.number().int().min(0).max(largestBacklog),
    shut: z.strictObject({ read: z.boolean(), write: z.boolean() }),
    options: optionsSchema,
  })
  .refine(hasAddressesOfItsPhase, 'has no address where its state needs one, or one where it can have none')
  .refine(({ type, phase }) => type === 'stream' || datagramPhases.includes(phase), 'is in a state of another type')
  .refine(
    ({ family, bound, remote, options }) =>
      [bound, remote].every((address) => address === null || familyOf(address) === family) &&
      options.groups.every((ip) => familyOf({ ip, port: 0 }) === family),
    'has an address of another family',
  )
  .refine(({ type, options }) => type === 'dgram' || options.groups.length === 0, 'is a stream in a multicast group');

export const savedUnreadSchema: z.ZodType<SavedUnread> = z.strictObject({
  bytes: base64(largestBuffer + lastPiece),
  datagrams: z
    .array(z.strictObject({ bytes: base64(largestDatagram), from: socketAddressSchema }))
    .max(largestBuffer / datagramOverhead + 1),
  ended: z.boolean(),
});

/** A stream receives bytes, and everything else datagrams. */
export function canHaveReceived({ type }: NetworkState, { bytes, datagrams, ended }: SavedUnread): boolean {
  return type === 'stream' ? datagrams.length === 0 : bytes === '' && !ended;
}
