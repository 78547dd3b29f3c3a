/**
 * sock_get_* and sock_set_*: options of sockets, as WAMR has them. Most are a pair of calls with one value, in the table
 * below. What an option does is the host's matter; what the guest set it to is kept here, and in a snapshot.
 */

import { familyOf, readBareAddress } from '../addresses.js';
import type { CallTable, Guard } from '../call-table.js';
import type { WasiContext } from '../context.js';
import { errno, fail } from '../errno.js';
import type { OpenNetworkSocket } from '../fd-table.js';
import { largestBuffer, mostGroups, type SocketOptions, smallestBuffer } from '../network-state.js';

type ValueOf<T> = { readonly [K in keyof SocketOptions]: SocketOptions[K] extends T ? K : never }[keyof SocketOptions];

/** Which sockets have it: of one type, or both. */
type Scope = 'stream' | 'dgram' | 'both';

interface NumberOption {
  readonly key: ValueOf<number>;
  readonly scope: Scope;
  /** Bytes of the value in the guest's memory. */
  readonly size: 1 | 4 | 8;
  /** The value that is kept: what does not fit is brought into range or, where that would mean another thing, refused. */
  readonly accept: (value: number) => number;
}

const any = (value: number): number => value;
const asBuffer = (bytes: number): number => Math.min(largestBuffer, Math.max(smallestBuffer, bytes));
const positive = (value: number): number => (value > 0 ? value : fail(errno.inval));

interface FlagOption {
  readonly key: ValueOf<boolean>;
  readonly scope: Scope;
}

const flags = withNames<FlagOption>({
  reuse_addr: { key: 'reuseAddress', scope: 'both' },
  keep_alive: { key: 'keepAlive', scope: 'stream' },
  tcp_no_delay: { key: 'noDelay', scope: 'stream' },
  tcp_quick_ack: { key: 'quickAck', scope: 'stream' },
  tcp_fastopen_connect: { key: 'fastOpen', scope: 'stream' },
  broadcast: { key: 'broadcast', scope: 'dgram' },
  ipv6_only: { key: 'ipv6Only', scope: 'both' },
});

const numbers = withNames<NumberOption>({
  recv_buf_size: { key: 'receiveBuffer', scope: 'both', size: 4, accept: asBuffer },
  send_buf_size: { key: 'sendBuffer', scope: 'both', size: 4, accept: asBuffer },
  recv_timeout: { key: 'receiveTimeout', scope: 'both', size: 8, accept: any },
  send_timeout: { key: 'sendTimeout', scope: 'both', size: 8, accept: any },
  tcp_keep_idle: { key: 'keepIdle', scope: 'stream', size: 4, accept: positive },
  tcp_keep_intvl: { key: 'keepInterval', scope: 'stream', size: 4, accept: positive },
  ip_ttl: { key: 'ttl', scope: 'dgram', size: 1, accept: positive },
  ip_multicast_ttl: { key: 'multicastTtl', scope: 'dgram', size: 1, accept: any },
});

/** Options with the names of their calls, which are made once: each guest that starts has calls of its own. */
function withNames<T>(
  options: Readonly<Record<string, T>>,
): readonly (T & { readonly get: string; readonly set: string })[] {
  return Object.entries(options).map(([name, option]) => ({
    ...option,
    get: `sock_get_${name}`,
    set: `sock_set_${name}`,
  }));
}

export function socketOptionCalls(context: WasiContext, guard: Guard): CallTable {
  const { memory, table } = context;

  const socketWith = (fd: number, scope: Scope): OpenNetworkSocket => {
    const open = table.networkSocket(fd);
    return scope === 'both' || scope === open.network.type ? open : fail(errno.noprotoopt);
  };

  const configure = ({ network, socket }: OpenNetworkSocket, change: Partial<SocketOptions>): void => {
    const options = { ...network.options, ...change };
    socket.configure(options);
    network.options = options;
  };

  const writeNumber = (address: number, size: NumberOption['size'], value: number): void => {
    if (size === 1) memory.write(address, Uint8Array.of(value));
    else if (size === 4) memory.writeU32(address, value);
    else memory.writeU64(address, BigInt(value));
  };

  const pairs: Record<string, WebAssembly.ExportValue> = {};
  for (const { get, set, key, scope } of flags) {
    pairs[get] = guard((fd: number, result: number) => {
      writeNumber(result, 1, socketWith(fd, scope).network.options[key] ? 1 : 0);
    });
    pairs[set] = guard((fd: number, value: number) => {
      const open = socketWith(fd, scope);
      if (key === 'ipv6Only') requireUnboundIpv6(open);
      configure(open, { [key]: value !== 0 });
    });
  }
  for (const { get, set, key, scope, size, accept } of numbers) {
    pairs[get] = guard((fd: number, result: number) => {
      writeNumber(result, size, socketWith(fd, scope).network.options[key]);
    });
    pairs[set] = guard((fd: number, value: number | bigint) => {
      const open = socketWith(fd, scope);
      configure(open, { [key]: accept(unsigned(value, size)) });
    });
  }

  const groupOf = (open: OpenNetworkSocket, address: number): string => {
    const group = readBareAddress(memory, address);
    if (context.network?.granted.allow({ ip: group, port: open.network.local?.port ?? 0 }) !== true) fail(errno.acces);
    return group;
  };

  return {
    ...pairs,

    // Several sockets on one port: nothing that the host could do.
    sock_get_reuse_port: guard((fd: number, result: number) => {
      table.networkSocket(fd);
      writeNumber(result, 1, 0);
    }),
    sock_set_reuse_port: guard((fd: number, value: number) => {
      table.networkSocket(fd);
      if (value !== 0) fail(errno.noprotoopt);
    }),

    sock_get_linger: guard((fd: number, isOn: number, seconds: number) => {
      const { linger } = socketWith(fd, 'stream').network.options;
      memory.range(seconds, 4);
      writeNumber(isOn, 1, linger === null ? 0 : 1);
      writeNumber(seconds, 4, linger ?? 0);
    }),
    sock_set_linger: guard((fd: number, isOn: number, seconds: number) => {
      configure(socketWith(fd, 'stream'), { linger: isOn === 0 ? null : seconds >>> 0 });
    }),

    sock_get_ip_multicast_loop: guard((fd: number, _isIpv6: number, result: number) => {
      writeNumber(result, 1, socketWith(fd, 'dgram').network.options.multicastLoop ? 1 : 0);
    }),
    sock_set_ip_multicast_loop: guard((fd: number, _isIpv6: number, value: number) => {
      configure(socketWith(fd, 'dgram'), { multicastLoop: value !== 0 });
    }),

    // The interface, the last argument, is left to the system.
    sock_set_ip_add_membership: guard((fd: number, address: number, _interface: number) => {
      const open = socketWith(fd, 'dgram');
      const group = groupOf(open, address);
      const { family, options } = open.network;
      if (familyOf({ ip: group, port: 0 }) !== family) fail(errno.afnosupport);
      const { groups } = options;
      if (groups.includes(group)) fail(errno.addrinuse);
      if (groups.length >= mostGroups) fail(errno.nobufs);
      configure(open, { groups: [...groups, group] });
    }),
    sock_set_ip_drop_membership: guard((fd: number, address: number, _interface: number) => {
      const open = socketWith(fd, 'dgram');
      const group = groupOf(open, address);
      const { groups } = open.network.options;
      if (!groups.includes(group)) fail(errno.addrnotavail);
      configure(open, { groups: groups.filter((joined) => joined !== group) });
    }),
  };
}

function requireUnboundIpv6({ network }: OpenNetworkSocket): void {
  if (network.family !== 'inet6') fail(errno.noprotoopt);
  if (network.phase !== 'idle' || network.bound !== null) fail(errno.inval);
}

/** Of 64 bits, those that a number can hold. */
function unsigned(value: number | bigint, size: NumberOption['size']): number {
  if (typeof value === 'number') return size === 1 ? value & 0xff : value >>> 0;
  const whole = BigInt.asUintN(64, value);
  return whole > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(whole);
}
