/** A connection is read no faster than the guest takes what comes. */

import { Socket } from 'node:net';
import { expect, test } from '@jest/globals';
import { defaultOptions } from '../wasi/index.js';
import { HostConnection } from './network-host-connection.js';

test('what a guest had before it was restored counts against its buffer, so that it cannot pile up from restore to restore', () => {
  const socket = new Socket();
  const connection = new HostConnection(1, socket, { ...defaultOptions, receiveBuffer: 1024 }, () => undefined);
  expect(socket.isPaused()).toBe(false);
  connection.heed({ kind: 'put-back', socket: 1, count: 1500 });
  expect(socket.isPaused()).toBe(true);
  connection.heed({ kind: 'taken', socket: 1, count: 400 });
  expect(socket.isPaused()).toBe(true);
  connection.heed({ kind: 'taken', socket: 1, count: 100 });
  expect(socket.isPaused()).toBe(false);
  socket.destroy();
});
