/** What the host does during a call of an import, as far as code that is compiled depends on it. */

export const wasiModules: readonly string[] = ['wasi_snapshot_preview1', 'wasi_unstable'];

/** The WASI calls that may end the program. */
export const endingWasiCalls: readonly string[] = ['proc_exit', 'proc_raise'];

const blockingWasiCalls: ReadonlySet<string> = new Set([
  'fd_read',
  'poll_oneoff',
  'sock_accept',
  'sock_connect',
  'sock_recv',
  'sock_recv_from',
  'sock_send',
  'sock_send_to',
]);

/**
 * Whether an import can wait for the outside world. Whatever the policy, a call to it is a stable point of kind `host`: the
 * runtime may leave it unfinished (with no effect on the guest or the outside) and have it made again.
 */
export function canBlock(module: string, base: string): boolean {
  return wasiModules.includes(module) && blockingWasiCalls.has(base);
}
