/** A guest may call anything with anything: it gets an error number, and never brings the host down. */

import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createWasi, restoreWasi, WasiError } from './index.js';
import { testOptions, WasiGuest } from './wasi-guest.test.support.js';

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
  sock_recv: 'nnnnnn',
  sock_send: 'nnnnn',
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

const step = fc.constantFrom(...Object.keys(signatures)).chain((name) => {
  const values = [...(signatures[name] ?? '')].map((type) => (type === 'b' ? long : word));
  return fc.record({ name: fc.constant(name), args: fc.tuple(...values) });
});

test('every call is known here', () => {
  expect(Object.keys(signatures).sort()).toEqual(Object.keys(createWasi(testOptions()).imports.wasi_unstable).sort());
});

test.each(['wasi_snapshot_preview1', 'wasi_unstable'] as const)('calls of %s with any arguments', (dialect) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (script) => {
      const options = testOptions({ env: ['A=b'] }, { a: 'text', d: { e: '' } });
      let wasi = createWasi(options);
      const g = new WasiGuest(wasi, dialect);
      // At 16: lists of buffers and subscriptions that mean something; at 0: names.
      g.bytes(0, 8).set([0x61, 0, 0x64, 0x2f, 0x65, 0x2e, 0x2e, 0x2f]);
      [512, 8, 600, 16, 131_064, 8].forEach((value, index) => {
        g.view.setUint32(16 + index * 4, value, true);
      });
      for (const { name, args } of script) {
        try {
          const result = g.call(name, ...args);
          expect(Number.isInteger(result) && result >= 0 && result <= 76).toBe(true);
        } catch (error) {
          if (!(error instanceof Error) || error.name !== 'ProcExit') throw error;
        }
      }
      try {
        wasi = restoreWasi(JSON.parse(JSON.stringify(wasi.save())), options);
        wasi.close();
      } catch (error) {
        // A file that was deleted while it was open.
        if (!(error instanceof WasiError)) throw error;
        expect(error.code).toBe('wasi-deleted-file');
      }
    }),
    { numRuns: 150, seed: 7 },
  );
});
