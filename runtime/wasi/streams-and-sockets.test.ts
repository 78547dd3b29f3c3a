import { describe, expect, test } from '@jest/globals';
import { ErrnoError, errno } from './errno.js';
import { fdFlag } from './flags.js';
import {
  createWasi,
  type InputStream,
  inputOf,
  type OutputStream,
  outputTo,
  type Socket,
  type WasiOptions,
} from './index.js';
import { testOptions, WasiGuest } from './wasi-guest.test.support.js';

const nowhere = outputTo(() => undefined);

describe('standard streams', () => {
  test('take what the guest writes, each its own', () => {
    const got = { out: '', err: '' };
    const stdio = {
      stdin: inputOf(new Uint8Array()),
      stdout: outputTo((bytes) => {
        got.out += String.fromCharCode(...bytes);
      }),
      stderr: outputTo((bytes) => {
        got.err += String.fromCharCode(...bytes);
      }),
    };
    const g = new WasiGuest(createWasi(testOptions({ stdio })));
    g.write(1, 'to one');
    g.write(2, 'to two');
    expect(got).toEqual({ out: 'to one', err: 'to two' });
    expect(g.write(0, 'x')).toBe(-errno.badf);
    expect(g.call('fd_read', 1, ...g.buffer(512, 4), 600)).toBe(errno.badf);
  });

  test('cannot seek, and say whether they are a terminal', () => {
    const terminal: OutputStream = { isTty: true, write: (bytes) => bytes.length };
    const g = new WasiGuest(
      createWasi(testOptions({ stdio: { stdin: inputOf(new Uint8Array()), stdout: terminal, stderr: nowhere } })),
    );
    expect([0, 1, 2].map((fd) => g.seek(fd, 0, 1))).toEqual([-errno.spipe, -errno.spipe, -errno.spipe]);
    const stat = g.room(24);
    const types = [0, 1, 2].map((fd) => {
      g.must('fd_fdstat_get', fd, stat);
      return g.view.getUint8(stat);
    });
    expect(types).toEqual([0, 2, 0]);
  });

  test('that take only a part say how much, and errors reach the guest', () => {
    const slow: OutputStream = { isTty: false, write: () => 3 };
    const broken: OutputStream = {
      isTty: false,
      write: () => {
        throw new ErrnoError(errno.pipe);
      },
    };
    const g = new WasiGuest(
      createWasi(testOptions({ stdio: { stdin: inputOf(new Uint8Array()), stdout: slow, stderr: broken } })),
    );
    expect(g.write(1, 'longer')).toBe(3);
    expect(g.write(2, 'longer')).toBe(-errno.pipe);
  });
});

/** Input that comes when the guest waits for it. */
function slowInput(pieces: string[]): { stdin: InputStream; arrive: () => void } {
  let rest = inputOf(new Uint8Array());
  const isThere = (): boolean => rest.ready() !== 'end';
  return {
    stdin: {
      isTty: false,
      ready: () => (isThere() ? rest.ready() : 'would-block'),
      read: (buffer) => (isThere() ? rest.read(buffer) : 'would-block'),
    },
    arrive() {
      rest = inputOf(new TextEncoder().encode(pieces.shift() ?? ''));
    },
  };
}

describe('input that is not there yet', () => {
  function waiting(outcome: 'ready' | 'interrupted'): { g: WasiGuest; arrive: () => void; log: string[] } {
    const { stdin, arrive } = slowInput(['hello', 'world']);
    const log: string[] = [];
    const wait: WasiOptions['wait'] = (request) => {
      log.push(`wait ${request.stdin}`);
      if (outcome === 'ready') arrive();
      return outcome;
    };
    const stdio = { stdin, stdout: nowhere, stderr: nowhere };
    return {
      g: new WasiGuest(createWasi(testOptions({ stdio, wait, interrupt: () => log.push('interrupt') }))),
      arrive,
      log,
    };
  }

  test('is waited for, and what there is is returned', () => {
    const { g, log } = waiting('ready');
    expect([g.read(0, 3), g.read(0, 30), g.read(0, 30)]).toEqual(['hel', 'lo', 'world']);
    expect(log).toEqual(['wait true', 'wait true']);
  });

  test('leaves no effect when a checkpoint interrupts, and the same call reads it later', () => {
    const { g, arrive, log } = waiting('interrupted');
    const args = [0, ...g.buffer(4096, 16), 4200] as const;
    const before = g.bytes(0, 65_536).slice();
    expect(g.call('fd_read', ...args)).toBe(0);
    expect(log).toEqual(['wait true', 'interrupt']);
    expect(g.bytes(0, 65_536)).toEqual(before);
    arrive();
    g.must('fd_read', ...args);
    expect(g.text(4096, 5)).toBe('hello');
    expect(g.view.getUint32(4200, true)).toBe(5);
  });

  test('gives EAGAIN to a guest that does not want to wait', () => {
    const { g, log } = waiting('ready');
    g.must('fd_fdstat_set_flags', 0, fdFlag.nonblock);
    expect(g.call('fd_read', 0, ...g.buffer(4096, 16), 4200)).toBe(errno.again);
    expect(log).toEqual([]);
  });
});

/** A connected socket that gives these datagrams, and remembers what was sent and done. */
function scriptedSocket(incoming: string[], log: string[]): Socket {
  return {
    type: 'socket-stream',
    ready: () => (incoming[0] === undefined ? 'would-block' : incoming[0].length),
    writable: () => true,
    accept: () => scriptedSocket(incoming, log),
    receive(buffer, peek) {
      const next = new TextEncoder().encode((peek ? incoming[0] : incoming.shift()) ?? '');
      buffer.set(next.subarray(0, buffer.length));
      return { length: Math.min(next.length, buffer.length), truncated: next.length > buffer.length };
    },
    send(bytes) {
      log.push(`send ${new TextDecoder().decode(bytes.slice())}`);
      return bytes.length;
    },
    shutdown: (read, write) => log.push(`shutdown ${read} ${write}`),
    close: () => log.push('close'),
  };
}

describe('sockets that the host hands in', () => {
  test('are behind the directories; they receive, send, accept and shut down', () => {
    const log: string[] = [];
    const g = new WasiGuest(createWasi(testOptions({ sockets: [scriptedSocket(['first', 'second'], log)] })));
    const [fd, result] = [4, g.room(8)];
    const receive = (flags: number, length: number): [string, number] => {
      g.must('sock_recv', fd, ...g.buffer(4096, length), flags, result, result + 4);
      return [g.text(4096, g.view.getUint32(result, true)), g.view.getUint16(result + 4, true)];
    };
    expect([receive(1, 16), receive(0, 3), receive(0, 16)]).toEqual([
      ['first', 0],
      ['fir', 1],
      ['second', 0],
    ]);
    g.must('sock_send', fd, ...g.buffer(...g.path('hello')), 0, result);
    expect(g.write(fd, 'there')).toBe(5);
    g.must('sock_accept', fd, 0, result);
    const accepted = g.view.getUint32(result, true);
    expect(accepted).toBe(5);
    g.must('sock_shutdown', accepted, 3);
    g.must('fd_close', accepted);
    expect(log).toEqual(['send hello', 'send there', 'shutdown true true', 'close']);
  });

  test('are told apart from files', () => {
    const g = new WasiGuest(createWasi(testOptions({}, { file: '' })));
    const file = g.open('file');
    for (const [fd, error] of [
      [file, errno.notsock],
      [0, errno.notsock],
      [99, errno.badf],
    ] as const) {
      expect(g.call('sock_shutdown', fd, 1)).toBe(error);
      expect(g.call('sock_accept', fd, 0, 512)).toBe(error);
      expect(g.call('sock_send', fd, 512, 0, 0, 600)).toBe(error);
      expect(g.call('sock_recv', fd, 512, 0, 0, 600, 604)).toBe(error);
    }
  });
});
