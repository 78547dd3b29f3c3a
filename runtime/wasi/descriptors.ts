/**
 * What a file descriptor is, as plain data: everything that a snapshot keeps of it, by which what it stands for can be
 * opened again. The open things themselves hang off it in fd-table.ts.
 */

import * as z from 'zod';
import { fileTypes } from './flags.js';
import {
  canHaveReceived,
  type NetworkState,
  networkStateSchema,
  type SavedUnread,
  savedUnreadSchema,
} from './network-state.js';
import { allRights } from './rights.js';

/** Names a place below a preopened directory: the preopen's guest name and components without links, `.` or `..`. */
export interface Place {
  readonly preopen: string;
  readonly path: readonly string[];
}

interface DescriptorBase {
  rights: number;
  inheriting: number;
  /** Of `fdFlag`. */
  flags: number;
}

export interface StdioDescriptor extends DescriptorBase {
  readonly kind: 'stdio';
  readonly stream: 'stdin' | 'stdout' | 'stderr';
}

export interface FileDescriptor extends DescriptorBase {
  readonly kind: 'file';
  place: Place;
  /** How it was opened; create, truncate and exclusive are not kept, so that opening it again harms nothing. */
  readonly read: boolean;
  readonly write: boolean;
  /** Where the next read or write begins, bytes. */
  offset: number;
}

export interface DirectoryDescriptor extends DescriptorBase {
  readonly kind: 'directory';
  place: Place;
  /** Whether it is a granted directory itself, which the guest can ask for by `fd_prestat_get`. */
  readonly preopened: boolean;
  /** The listing that the guest is reading: as it was when it began. Cookies are positions in it. */
  listing: readonly ListedName[] | null;
}

/** What else is known of a socket that the guest opened is in network-state.ts. */
export interface SocketDescriptor extends DescriptorBase {
  readonly kind: 'socket';
}

export interface SavedSocketDescriptor extends SocketDescriptor {
  readonly network: NetworkState;
  readonly unread: SavedUnread;
}

/** Sockets that the host handed in are not among what can be saved. */
export type SavedDescriptor = StdioDescriptor | FileDescriptor | DirectoryDescriptor | SavedSocketDescriptor;

export interface ListedName {
  readonly name: string;
  /** Decimal. */
  readonly inode: string;
  readonly type: (typeof fileTypes)[number];
}

/** An unsigned 64-bit number in decimal: JSON has none. */
export const decimalSchema: z.ZodType<string> = z
  .string()
  .max(20)
  .refine((text) => /^(0|[1-9][0-9]*)$/.test(text) && BigInt(text) < 2n ** 64n, 'is no decimal number below 2^64');

const nameSchema = z
  .string()
  .min(1)
  .max(255)
  .refine((name) => name !== '.' && name !== '..' && !/[/\0]/.test(name), 'is not a name of one path component');

const placeSchema: z.ZodType<Place> = z.strictObject({
  preopen: z.string().min(1).max(4096),
  path: z.array(nameSchema).max(2048),
});

const base = {
  rights: z.number().int().min(0).max(allRights),
  inheriting: z.number().int().min(0).max(allRights),
  flags: z.number().int().min(0).max(31),
};

const listedNameSchema: z.ZodType<ListedName> = z.strictObject({
  name: z.string().min(1).max(255),
  inode: decimalSchema,
  type: z.enum(fileTypes),
});

export const descriptorSchema: z.ZodType<SavedDescriptor> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('stdio'), ...base, stream: z.enum(['stdin', 'stdout', 'stderr']) }),
  z.strictObject({
    kind: z.literal('file'),
    ...base,
    place: placeSchema,
    read: z.boolean(),
    write: z.boolean(),
    offset: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
  }),
  z.strictObject({
    kind: z.literal('directory'),
    ...base,
    place: placeSchema,
    preopened: z.boolean(),
    listing: z.array(listedNameSchema).nullable(),
  }),
  z
    .strictObject({ kind: z.literal('socket'), ...base, network: networkStateSchema, unread: savedUnreadSchema })
    .refine(({ network, unread }) => canHaveReceived(network, unread), 'has received what it cannot have'),
]);
