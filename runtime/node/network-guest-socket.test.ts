/** A socket at the guest's end, whose main thread is played here. */

import { expect, test } from '@jest/globals';
import { GuestSocket } from './network-guest-socket.js';
import type { NetworkRequest } from './network-messages.js';

const local = { ip: '127.0.0.1', port: 50_000 };
const remote = { ip: '127.0.0.1', port: 80 };

test('that connects again tells what it has not taken yet, and reads it before what comes', () => {
  const posted: NetworkRequest[] = [];
  const socket: GuestSocket = new GuestSocket(1, 'stream', {
    post: (request) => posted.push(request),
    takeNews: () => false,
    waitFor: (find) => {
      socket.heed({ kind: 'connected', socket: 1, local });
      socket.heed({ kind: 'data', socket: 1, bytes: Buffer.from('and this') });
      const found = find();
      if (found === undefined) throw new Error('would wait for ever');
      return found;
    },
    forget: () => undefined,
  });
  expect(socket.connectNow(remote, Buffer.from('not yet read '))).toEqual(local);
  expect(posted).toEqual([{ kind: 'connect', socket: 1, remote, untaken: 13 }]);
  const buffer = Buffer.alloc(100);
  expect(socket.receive(buffer, false)).toEqual({ length: 21, truncated: false });
  expect(buffer.toString('latin1', 0, 21)).toBe('not yet read and this');
  expect(posted.slice(1)).toEqual([{ kind: 'taken', socket: 1, count: 21 }]);
});
