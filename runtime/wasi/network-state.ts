/** What a snapshot keeps of a socket that the guest opened: plain data, by which it can be opened again. */

import * as z from 'zod';
import { type AddressFamily, ipSchema, type SocketAddress, socketAddressSchema } from './addresses.js';

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

const u32 = z.number().int().min(0).max(0xffffffff);
const buffer = z.number().int().min(smallestBuffer).max(largestBuffer);
const microseconds = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const base64 = z
  .string()
  .max(2 * largestBuffer)
  .regex(/^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/);

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
  groups: z.array(ipSchema).max(64),
});

export const networkStateSchema: z.ZodType<NetworkState> = z
  .strictObject({
    family: z.enum(['inet4', 'inet6']),
    type: z.enum(['stream', 'dgram']),
    phase: z.enum(socketPhases),
    bound: socketAddressSchema.nullable(),
    local: socketAddressSchema.nullable(),
    remote: socketAddressSchema.nullable(),
    backlog: u32,
    shut: z.strictObject({ read: z.boolean(), write: z.boolean() }),
    options: optionsSchema,
  })
  .refine(
    ({ phase, bound, remote }) =>
      (phase === 'idle' || remote !== null || bound !== null) && !(phase === 'listening' && bound === null),
    'has no address where its state needs one',
  );

export const savedUnreadSchema: z.ZodType<SavedUnread> = z.strictObject({
  bytes: base64,
  datagrams: z.array(z.strictObject({ bytes: base64, from: socketAddressSchema })).max(4096),
  ended: z.boolean(),
});
