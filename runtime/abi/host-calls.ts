/**
 * Imports that can wait for the outside world. Whatever the policy, a call to one of them is a stable point of kind
 * `host`: the runtime may leave it unfinished (with no effect on the guest or the outside) and have it made again.
 */
export const wasiModules: readonly string[] = ['wasi_snapshot_preview1', 'wasi_unstable'];

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

/** Whether the runtime may interrupt a call to this import. */
export function canBlock(module: string, base: string): boolean {
  return wasiModules.includes(module) && blockingWasiCalls.has(base);
}
