/** What a snapshot keeps of a guest's WASI: plain data, checked strictly because a snapshot may come from anywhere. */

import * as z from 'zod';
import { decimalSchema, descriptorSchema, type SavedDescriptor } from './descriptors.js';
import { maxDescriptors } from './fd-table.js';
import type { RandomState } from './random.js';

/** How a file looked at the checkpoint. */
export interface SavedFile {
  readonly size: number;
  /** Nanoseconds since 1970, decimal. */
  readonly modified: string;
}

export interface SavedEntry {
  readonly fd: number;
  readonly descriptor: SavedDescriptor;
  /** Present (not null) exactly for files. */
  readonly file: SavedFile | null;
}

export interface WasiState {
  /** Null where the engine leaves them out of the snapshot. */
  readonly args: readonly string[] | null;
  readonly env: readonly string[] | null;
  /** By ascending number, none twice. */
  readonly descriptors: readonly SavedEntry[];
  /** Readings of the guest's clocks, nanoseconds, decimal. */
  readonly clocks: {
    readonly monotonic: string;
    readonly cpuTime: string;
    readonly realtime: string;
    readonly virtual: boolean;
  };
  /** Of a seeded source; null when randomness was the host's. */
  readonly random: RandomState;
  /** The sleep that was interrupted, see `PendingPoll` in context.ts. */
  readonly pendingPoll: {
    readonly subscriptions: number;
    readonly events: number;
    readonly count: number;
    readonly startedAt: string;
  } | null;
}

const u32 = z.number().int().min(0).max(0xffffffff);
const text = z.string().refine((value) => !value.includes('\0'), 'holds a NUL character');

export const wasiStateSchema: z.ZodType<WasiState> = z.strictObject({
  args: z.array(text).nullable(),
  env: z.array(text).nullable(),
  descriptors: z
    .array(
      z.strictObject({
        fd: z
          .number()
          .int()
          .min(0)
          .max(maxDescriptors - 1),
        descriptor: descriptorSchema,
        file: z
          .strictObject({
            size: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
            modified: z.string().regex(/^-?[0-9]{1,20}$/),
          })
          .nullable(),
      }),
    )
    .max(maxDescriptors),
  clocks: z.strictObject({
    monotonic: decimalSchema,
    cpuTime: decimalSchema,
    realtime: decimalSchema,
    virtual: z.boolean(),
  }),
  random: z
    .tuple([u32, u32, u32, u32])
    .refine((words) => words.some((word) => word !== 0), 'is all zero')
    .nullable(),
  pendingPoll: z.strictObject({ subscriptions: u32, events: u32, count: u32, startedAt: decimalSchema }).nullable(),
});
