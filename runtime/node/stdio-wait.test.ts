import { describe, expect, test } from '@jest/globals';
import { type InputStream, inputOf } from '../wasi/index.js';
import { threadWait } from './stdio-wait.js';

const silent: InputStream = { isTty: false, ready: () => 'would-block', read: () => 'would-block' };
const wake = (): Int32Array => new Int32Array(new SharedArrayBuffer(4));

describe('a thread that waits', () => {
  test('does so for the time it was told', () => {
    const wait = threadWait({ wake: wake(), stdin: silent, isInterrupted: () => false });
    const before = process.hrtime.bigint();
    expect(wait({ stdin: true, sockets: [], timeout: 30_000_000n })).toBe('timeout');
    expect(process.hrtime.bigint() - before).toBeGreaterThanOrEqual(30_000_000n);
  });

  test('does not wait when there is input, when a checkpoint is wanted, or for no time', () => {
    const ready = threadWait({ wake: wake(), stdin: inputOf(Uint8Array.of(1)), isInterrupted: () => false });
    expect(ready({ stdin: true, sockets: [] })).toBe('ready');
    expect(ready({ stdin: false, sockets: [], timeout: 0n })).toBe('timeout');
    const wanted = threadWait({ wake: wake(), stdin: inputOf(Uint8Array.of(1)), isInterrupted: () => true });
    expect(wanted({ stdin: true, sockets: [] })).toBe('interrupted');
    expect(wanted({ stdin: false, sockets: [], timeout: 0n })).toBe('interrupted');
  });
});
