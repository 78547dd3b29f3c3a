/** A guest may call anything with anything: it gets an error number, and never brings the host down. */

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createWasi, ProcExit, restoreWasi, type Wasi, WasiError, type WasiOptions } from './index.js';
import { MemoryNetwork } from './memory-network.test.support.js';
import { networkOptions } from './network-guest.test.support.js';
import { testOptions, WasiGuest } from './wasi-guest.test.support.js';

interface Step {
  readonly name: string;
  readonly args: readonly (number | bigint)[];
}

/** The parameters of each call, `n` for 32 bits and `b` for 64. */
const signatures: Readonly<Record<string, string>> = {
  args_get: 'nn',
  args_sizes_get: 'nn',
  environ_get: 'nn',
  environ_sizes_get: 'nn',
  clock_res_get: 'nn',
  clock_time_get: 'nbn',
  fd_advise: 'nbbn',
  fd_allocate: 'nbb',
  fd_close: 'n',
  fd_datasync: 'n',
  fd_fdstat_get: 'nn',
  fd_fdstat_set_flags: 'nn',
  fd_fdstat_set_rights: 'nbb',
  fd_filestat_get: 'nn',
  fd_filestat_set_size: 'nb',
  fd_filestat_set_times: 'nbbn',
  fd_pread: 'nnnbn',
  fd_prestat_get: 'nn',
  fd_prestat_dir_name: 'nnn',
  fd_pwrite: 'nnnbn',
  fd_read: 'nnnn',
  fd_readdir: 'nnnbn',
  fd_renumber: 'nn',
  fd_seek: 'nbnn',
  fd_sync: 'n',
  fd_tell: 'nn',
  fd_write: 'nnnn',
  path_create_directory: 'nnn',
  path_filestat_get: 'nnnnn',
  path_filestat_set_times: 'nnnnbbn',
  path_link: 'nnnnnnn',
  path_open: 'nnnnnbbnn',
  path_readlink: 'nnnnnn',
  path_remove_directory: 'nnn',
  path_rename: 'nnnnnn',
  path_symlink: 'nnnnn',
  path_unlink_file: 'nnn',
  poll_oneoff: 'nnnn',
  proc_exit: 'n',
  proc_raise: 'n',
  random_get: 'nn',
  sched_yield: '',
  sock_accept: 'nnn',
  sock_addr_local: 'nn',
  sock_addr_remote: 'nn',
  sock_addr_resolve: 'nnnnnn',
  sock_bind: 'nn',
  sock_close: 'n',
  sock_connect: 'nn',
  sock_get_broadcast: 'nn',
  sock_get_ip_multicast_loop: 'nnn',
  sock_get_ip_multicast_ttl: 'nn',
  sock_get_ip_ttl: 'nn',
  sock_get_ipv6_only: 'nn',
  sock_get_keep_alive: 'nn',
  sock_get_linger: 'nnn',
  sock_get_recv_buf_size: 'nn',
  sock_get_recv_timeout: 'nn',
  sock_get_reuse_addr: 'nn',
  sock_get_reuse_port: 'nn',
  sock_get_send_buf_size: 'nn',
  sock_get_send_timeout: 'nn',
  sock_get_tcp_fastopen_connect: 'nn',
  sock_get_tcp_keep_idle: 'nn',
  sock_get_tcp_keep_intvl: 'nn',
  sock_get_tcp_no_delay: 'nn',
  sock_get_tcp_quick_ack: 'nn',
  sock_listen: 'nn',
  sock_open: 'nnnn',
  sock_recv: 'nnnnnn',
  sock_recv_from: 'nnnnnn',
  sock_send: 'nnnnn',
  sock_send_to: 'nnnnnn',
  sock_set_broadcast: 'nn',
  sock_set_ip_add_membership: 'nnn',
  sock_set_ip_drop_membership: 'nnn',
  sock_set_ip_multicast_loop: 'nnn',
  sock_set_ip_multicast_ttl: 'nn',
  sock_set_ip_ttl: 'nn',
  sock_set_ipv6_only: 'nn',
  sock_set_keep_alive: 'nn',
  sock_set_linger: 'nnn',
  sock_set_recv_buf_size: 'nn',
  sock_set_recv_timeout: 'nb',
  sock_set_reuse_addr: 'nn',
  sock_set_reuse_port: 'nn',
  sock_set_send_buf_size: 'nn',
  sock_set_send_timeout: 'nb',
  sock_set_tcp_fastopen_connect: 'nn',
  sock_set_tcp_keep_idle: 'nn',
  sock_set_tcp_keep_intvl: 'nn',
  sock_set_tcp_no_delay: 'nn',
  sock_set_tcp_quick_ack: 'nn',
  sock_shutdown: 'nn',
};

// Descriptors, flags, lengths; addresses of names, of lists and at the edges; and what makes signed arithmetic go wrong.
const word = fc.oneof(
  fc.integer({ min: 0, max: 8 }),
  fc.constantFrom(0, 16, 24, 32, 48, 512, 131_064, 131_071, 131_072, -1, -8, 0x7fffffff, -0x80000000),
  fc.integer(),
);
const long = fc.oneof(
  fc.bigInt({ min: 0n, max: 40n }),
  fc.constantFrom(-1n, 1n << 29n, (1n << 30n) - 1n, (1n << 53n) - 1n, 1n << 53n, (1n << 63n) - 1n, -(1n << 63n)),
);

const anyStep: fc.Arbitrary<Step> = fc.constantFrom(...Object.keys(signatures)).chain((name) => {
  const values = [...(signatures[name] ?? '')].map((type) => (type === 'b' ? long : word));
  return fc.record({ name: fc.constant(name), args: fc.tuple(...values) });
});

const among = (first: number, last: number): fc.Arbitrary<number> => fc.integer({ min: first, max: last });
const exactly = fc.constant<number>;
const fd = among(3, 7);
const name = fc.constantFrom<[number, number]>([0, 1], [2, 1], [2, 3]);

/** Calls that mostly succeed: they work on files `a` and `d/e`, the directory `d` and the port 80 of this machine. */
const usefulStep: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(name, among(0, 15), among(0, 5)).map(([path, flags, fdFlags]) => ({
    name: 'path_open',
    args: [3, 1, ...path, flags, flags === 2 ? 0x4000n : 0xffffffn, 0n, fdFlags, 700],
  })),
  fc.record({
    name: fc.constantFrom('fd_read', 'fd_write'),
    args: fc.tuple(fd, exactly(16), among(1, 2), exactly(700)),
  }),
  fc.record({ name: fc.constant('fd_tell'), args: fc.tuple(fd, exactly(700)) }),
  fc.record({ name: fc.constant('fd_fdstat_get'), args: fc.tuple(fd, exactly(720)) }),
  fc.record({ name: fc.constant('fd_renumber'), args: fc.tuple(fd, fd) }),
  fc.record({
    name: fc.constant('fd_readdir'),
    args: fc.tuple(fd, exactly(800), among(24, 90), fc.bigInt({ min: 0n, max: 4n }), exactly(700)),
  }),
  fc.record({ name: fc.constant('random_get'), args: fc.tuple(exactly(900), among(1, 9)) }),
  fc.record({ name: fc.constant('sock_open'), args: fc.tuple(exactly(-1), exactly(0), among(0, 1), exactly(700)) }),
  fc.record({ name: fc.constant('sock_bind'), args: fc.tuple(fd, exactly(1000)) }),
  fc.record({ name: fc.constant('sock_listen'), args: fc.tuple(fd, among(1, 9)) }),
  fc.record({ name: fc.constantFrom('sock_addr_local', 'sock_get_keep_alive'), args: fc.tuple(fd, exactly(1040)) }),
);

const script = fc.array(fc.oneof(anyStep, usefulStep, usefulStep), { maxLength: 60, size: 'max' });

test('every call is known here', () => {
  expect(Object.keys(signatures).sort()).toEqual(Object.keys(createWasi(testOptions()).imports.wasi_unstable).sort());
});

/** At 16: lists of buffers and subscriptions that mean something; at 0: names; at 1000: an address. */
function furnish(g: WasiGuest): void {
  g.bytes(0, 8).set([0x61, 0, 0x64, 0x2f, 0x65, 0x2e, 0x2e, 0x2f]);
  [512, 8, 600, 16, 131_064, 8].forEach((value, index) => {
    g.view.setUint32(16 + index * 4, value, true);
  });
  g.bytes(1000, 10).set([0, 0, 0, 0, 127, 0, 0, 1, 80, 0]);
}

/** The error number, or how the program ended. */
function take(g: WasiGuest, { name, args }: Step): number | string {
  try {
    return g.call(name, ...args);
  } catch (error) {
    if (error instanceof ProcExit) return `ended with ${error.status}`;
    throw error;
  }
}

/** A host made anew from the state of this one; the same one when a file was deleted while it was open. */
function replaced(wasi: Wasi, options: WasiOptions): Wasi {
  try {
    const state = JSON.parse(JSON.stringify(wasi.save()));
    wasi.close();
    return restoreWasi(state, options);
  } catch (error) {
    if (error instanceof WasiError && error.code === 'wasi-deleted-file') return wasi;
    throw error;
  }
}

const newOptions = (): WasiOptions => ({
  ...networkOptions(new MemoryNetwork()),
  ...testOptions({ env: ['A=b'] }, { a: 'text', d: { e: '' } }),
  // What waits for another side would wait for ever.
  wait: ({ timeout }) => (timeout === undefined ? 'interrupted' : 'timeout'),
});

describe.each(['wasi_snapshot_preview1', 'wasi_unstable'] as const)('calls of %s with any arguments', (dialect) => {
  test('give an error number or end the program', () => {
    fc.assert(
      fc.property(script, (steps) => {
        const g = new WasiGuest(createWasi(newOptions()), dialect);
        furnish(g);
        for (const call of steps) {
          const result = take(g, call);
          expect(typeof result === 'string' || (Number.isInteger(result) && result >= 0 && result <= 76)).toBe(true);
        }
      }),
      { numRuns: 150, seed: 7 },
    );
  });

  test('do the same when the host is saved and restored between every two of them', () => {
    const run = (steps: readonly Step[], isRestored: boolean): unknown => {
      const options = newOptions();
      let wasi = createWasi(options);
      const g = new WasiGuest(wasi, dialect);
      furnish(g);
      const results = steps.map((call) => {
        if (isRestored) {
          wasi = replaced(wasi, options);
          g.moveTo(wasi);
        }
        return take(g, call);
      });
      return { results, memory: String(g.bytes(0, 4096)), time: g.time(1) };
    };
    fc.assert(
      fc.property(script, (steps) => {
        expect(run(steps, true)).toEqual(run(steps, false));
      }),
      { numRuns: 100, seed: 8 },
    );
  });
});
