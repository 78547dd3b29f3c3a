/** A guest with a network, for tests: what its socket calls need in its memory. */

import { parseAddressGrant } from './address-grants.js';
import { readAddress, type SocketAddress, writeAddress } from './addresses.js';
import { GuestMemory } from './guest-memory.js';
import { createWasi, type WasiOptions } from './index.js';
import { MemoryNetwork } from './memory-network.test.support.js';
import { testOptions, WasiGuest } from './wasi-guest.test.support.js';

export const stream = 1;
export const dgram = 0;

export function networkOptions(
  network: MemoryNetwork,
  grants: readonly string[] = ['127.0.0.1'],
  changes: Partial<WasiOptions> = {},
): WasiOptions {
  const addresses = grants.flatMap((text) => parseAddressGrant(text) ?? []);
  return testOptions({ network: { host: network, addresses }, ...changes });
}

export class NetworkGuest extends WasiGuest {
  address({ ip, port }: SocketAddress): number {
    const at = this.room(24);
    writeAddress(this.#guestMemory(), at, { ip, port });
    return at;
  }

  addressAt(at: number): SocketAddress {
    return readAddress(this.#guestMemory(), at);
  }

  openSocket(type: number, family = 0): number {
    const result = this.room(4);
    this.must('sock_open', -1, family, type, result);
    return this.view.getUint32(result, true);
  }

  /** A socket that listens, and its port. */
  listenOn(port: number): number {
    const fd = this.openSocket(stream);
    this.must('sock_bind', fd, this.address({ ip: '127.0.0.1', port }));
    this.must('sock_listen', fd, 5);
    return fd;
  }

  connectTo(port: number): number {
    const fd = this.openSocket(stream);
    this.must('sock_connect', fd, this.address({ ip: '127.0.0.1', port }));
    return fd;
  }

  accept(fd: number): number {
    const result = this.room(4);
    this.must('sock_accept', fd, 0, result);
    return this.view.getUint32(result, true);
  }

  nameOf(fd: number, call: 'sock_addr_local' | 'sock_addr_remote'): SocketAddress {
    const result = this.room(24);
    this.must(call, fd, result);
    return this.addressAt(result);
  }

  /** Text, or a negative error number. */
  receive(fd: number, length = 100): string | number {
    const [at, result] = [this.room(length), this.room(8)];
    const error = this.call('sock_recv', fd, ...this.buffer(at, length), 0, result, result + 4);
    return error === 0 ? this.text(at, this.view.getUint32(result, true)) : -error;
  }

  /** Bytes sent, or a negative error number. */
  send(fd: number, text: string): number {
    const result = this.room(4);
    const error = this.call('sock_send', fd, ...this.buffer(...this.path(text)), 0, result);
    return error === 0 ? this.view.getUint32(result, true) : -error;
  }

  #guestMemory(): GuestMemory {
    const memory = new GuestMemory(() => undefined);
    memory.attach(this.memory);
    return memory;
  }
}

export function networkGuest(
  grants?: readonly string[],
  changes?: Partial<WasiOptions>,
): { g: NetworkGuest; network: MemoryNetwork } {
  const network = new MemoryNetwork();
  return { g: new NetworkGuest(createWasi(networkOptions(network, grants, changes))), network };
}
