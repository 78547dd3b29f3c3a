/**
 * poll_oneoff: waits for clocks and descriptors together, and reports all that happened.
 *
 * Nothing is written before something has happened, so a wait that is interrupted for a checkpoint leaves no effect
 * but the note of when it began (`PendingPoll`); the guest makes the same call again and the rest is slept.
 */

import { type CallTable, type Guard, Interrupted } from '../call-table.js';
import type { WasiContext } from '../context.js';
import { ErrnoError, errno, fail } from '../errno.js';
import type { OpenDescriptor } from '../fd-table.js';
import { clockId, type Dialect, eventFlag, eventType } from '../flags.js';
import { includesRights, right } from '../rights.js';
import type { Transfer } from '../socket.js';
import {
  type ClockSubscription,
  type Event,
  eventSize,
  readSubscription,
  type Subscription,
  subscriptionSize,
  writeEvent,
} from '../structs.js';

const maxSubscriptions = 65_536;

export function pollCalls(context: WasiContext, guard: Guard, dialect: Dialect): CallTable {
  const { memory } = context;
  return {
    poll_oneoff: guard((input: number, output: number, count: number, result: number) => {
      const items = count >>> 0;
      if (items === 0 || items > maxSubscriptions) fail(errno.inval);
      const size = subscriptionSize(dialect);
      const start = memory.range(input, items * size);
      const events = memory.range(output, items * eventSize);
      memory.range(result, 4);
      const subscriptions = Array.from({ length: items }, (_, index) =>
        readSubscription(memory, start + index * size, dialect),
      );

      const startedAt = firstMadeAt(context, start, events, items);
      context.pendingPoll = { subscriptions: start, events, count: items, startedAt };
      const happened = waitForEvents(context, subscriptions, startedAt);
      context.pendingPoll = null;
      happened.forEach((event, index) => {
        writeEvent(memory, events + index * eventSize, event);
      });
      memory.writeU32(result, happened.length);
    }),
  };
}

/** When this call was made first. The note of an interrupted one counts only if this is that same call. */
function firstMadeAt(
  { pendingPoll, clocks }: WasiContext,
  subscriptions: number,
  events: number,
  count: number,
): bigint {
  const isSame =
    pendingPoll !== null &&
    pendingPoll.subscriptions === subscriptions &&
    pendingPoll.events === events &&
    pendingPoll.count === count;
  return isSame ? pendingPoll.startedAt : clocks.monotonic();
}

function waitForEvents(context: WasiContext, subscriptions: readonly Subscription[], startedAt: bigint): Event[] {
  for (;;) {
    context.network?.host.refresh();
    const events = subscriptions.flatMap((subscription) => eventOf(context, subscription, startedAt) ?? []);
    if (events.length > 0) return events;
    const timeout = shortestTime(context, subscriptions, startedAt);
    pause(context, subscriptions, timeout);
  }
}

/** Waits, or where time is virtual lets the time pass after asking whether a checkpoint is wanted. */
function pause(context: WasiContext, subscriptions: readonly Subscription[], timeout: bigint | undefined): void {
  const passes = context.clocks.isVirtual && timeout !== undefined;
  const waitables = subscriptions.flatMap((subscription) =>
    subscription.kind === 'fd' ? (openDescriptor(context, subscription.fd) ?? []) : [],
  );
  const outcome = context.wait({
    stdin: waitables.some(({ kind }) => kind === 'stdio'),
    sockets: waitables.flatMap((open): Transfer[] => (open.kind === 'socket' ? [open.socket] : [])),
    ...(timeout === undefined ? {} : { timeout: passes ? 0n : timeout }),
  });
  if (outcome === 'interrupted') throw new Interrupted();
  if (passes) context.clocks.pass(timeout);
}

function eventOf(context: WasiContext, subscription: Subscription, startedAt: bigint): Event | undefined {
  const { userdata } = subscription;
  const failed = (error: number, type: number): Event => ({ userdata, error, type, bytes: 0n, flags: 0 });
  switch (subscription.kind) {
    case 'unknown':
      return failed(errno.inval, subscription.type);
    case 'clock':
      try {
        if (timeLeft(context, subscription, startedAt) > 0n) return undefined;
        return { userdata, error: errno.success, type: eventType.clock, bytes: 0n, flags: 0 };
      } catch (error) {
        if (error instanceof ErrnoError) return failed(error.errno, eventType.clock);
        throw error;
      }
    case 'fd': {
      const open = openDescriptor(context, subscription.fd);
      if (open === undefined) return failed(errno.badf, subscription.type);
      const using = subscription.type === eventType.fdRead ? right.fdRead : right.fdWrite;
      const allowed = includesRights(open.data.rights, right.pollFdReadwrite | using);
      if (!allowed) return failed(errno.notcapable, subscription.type);
      const ready = subscription.type === eventType.fdRead ? readable(context, open) : writable(open);
      if (ready === 'would-block') return undefined;
      const bytes = ready === 'end' ? 0n : BigInt(ready);
      const flags = ready === 'end' ? eventFlag.hangup : 0;
      return { userdata, error: errno.success, type: subscription.type, bytes, flags };
    }
  }
}

function openDescriptor(context: WasiContext, fd: number): OpenDescriptor | undefined {
  try {
    return context.table.get(fd);
  } catch (error) {
    if (error instanceof ErrnoError) return undefined;
    throw error;
  }
}

/** Bytes that a read would give at once. A file never makes wait, even at its end. */
function readable(context: WasiContext, open: OpenDescriptor): number | 'end' | 'would-block' {
  switch (open.kind) {
    case 'directory':
      return 0;
    case 'file':
      return Math.max(0, open.file.stat().size - open.data.offset);
    case 'socket':
      return open.socket.ready();
    case 'stdio': {
      if (open.data.stream !== 'stdin') return 'would-block';
      const ready = open.stdio.stdin.ready();
      // When input comes is no part of virtual time: it is always there, and the read waits for it.
      return ready === 'would-block' && context.clocks.isVirtual ? 1 : ready;
    }
  }
}

function writable(open: OpenDescriptor): number | 'would-block' {
  if (open.kind === 'socket') return open.socket.writable() ? 1 : 'would-block';
  return open.kind === 'stdio' && open.data.stream === 'stdin' ? 'would-block' : 1;
}

/** Nanoseconds; not above zero when the time has come. EINVAL for clocks that do not run while the guest sleeps. */
function timeLeft({ clocks }: WasiContext, subscription: ClockSubscription, startedAt: bigint): bigint {
  const { clock, timeout, absolute } = subscription;
  if (clock !== clockId.realtime && clock !== clockId.monotonic) fail(errno.inval);
  if (!absolute) return startedAt + timeout - clocks.monotonic();
  return timeout - (clock === clockId.realtime ? clocks.realtime() : clocks.monotonic());
}

function shortestTime(
  context: WasiContext,
  subscriptions: readonly Subscription[],
  startedAt: bigint,
): bigint | undefined {
  let shortest: bigint | undefined;
  for (const subscription of subscriptions) {
    if (subscription.kind !== 'clock') continue;
    const left = timeLeft(context, subscription, startedAt);
    if (shortest === undefined || left < shortest) shortest = left;
  }
  return shortest !== undefined && shortest < 0n ? 0n : shortest;
}
