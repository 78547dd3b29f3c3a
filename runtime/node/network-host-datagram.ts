/** A datagram socket at the main thread's end. Node's is made when it is first used, because some options come before. */

import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import {
  type AddressFamily,
  anyAddress,
  canonicalIp,
  defaultOptions,
  type SocketAddress,
  type SocketOptions,
} from '../wasi/index.js';
import { errnoOfSystem } from './host-filesystem-errors.js';
import type { HostSocket, SocketRequest } from './network-host.js';
import { datagramCost, type NetworkNews } from './network-messages.js';

export class HostDatagramSocket implements HostSocket {
  readonly #id: number;
  readonly #family: AddressFamily;
  readonly #tell: (news: NetworkNews) => void;
  #options: SocketOptions = defaultOptions;
  #joined: readonly string[] = [];
  #socket: Socket | undefined;
  #isConnected = false;
  /** Cost of the datagrams passed on and not yet taken. */
  #untaken = 0;
  /** What was asked for, one after the other: each has to wait for the one before. */
  #turn: Promise<void> = Promise.resolve();

  constructor(id: number, family: AddressFamily, tell: (news: NetworkNews) => void) {
    this.#id = id;
    this.#family = family;
    this.#tell = tell;
  }

  heed(request: SocketRequest): void {
    if (request.kind === 'taken') {
      this.#untaken = Math.max(0, this.#untaken - request.count);
      return;
    }
    if (request.kind === 'put-back') {
      this.#untaken += request.count;
      return;
    }
    this.#turn = this.#turn.then(async () => {
      try {
        await this.#perform(request);
      } catch (error) {
        const kind = request.kind === 'bind' ? 'refused' : 'failed';
        this.#tell({ kind, socket: this.#id, errno: errnoOfSystem(error) });
      }
    });
  }

  async close(): Promise<void> {
    await this.#turn;
    const socket = this.#socket;
    if (socket === undefined) return;
    const closed = once(socket, 'close');
    socket.close();
    await closed;
  }

  async #perform(request: SocketRequest): Promise<void> {
    switch (request.kind) {
      case 'configure':
        this.#options = request.options;
        if (this.#socket !== undefined) this.#apply(this.#socket);
        return;
      case 'bind':
        await this.#open(request.local);
        this.#tell({ kind: 'bound', socket: this.#id, local: this.#localAddress() });
        return;
      case 'connect':
        await this.#connect(request.remote);
        return;
      case 'send':
        await this.#send(request.bytes, request.remote);
    }
  }

  async #connect({ ip, port }: SocketAddress): Promise<void> {
    const socket = this.#socket ?? (await this.#open(anyAddress(this.#family)));
    if (this.#isConnected) socket.disconnect();
    this.#isConnected = false;
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.connect(port, ip, () => {
        socket.off('error', reject);
        resolve();
      });
    });
    this.#isConnected = true;
    this.#tell({ kind: 'connected', socket: this.#id, local: this.#localAddress() });
  }

  async #send(bytes: Uint8Array, remote: SocketAddress | null): Promise<void> {
    try {
      const socket = this.#socket ?? (await this.#open(anyAddress(this.#family)));
      await new Promise<void>((resolve, reject) => {
        const done = (error: Error | null): void => (error === null ? resolve() : reject(error));
        if (remote === null) socket.send(bytes, done);
        else socket.send(bytes, remote.port, remote.ip, done);
      });
    } finally {
      this.#tell({ kind: 'sent', socket: this.#id, count: bytes.length });
    }
  }

  async #open(local: SocketAddress): Promise<Socket> {
    const { reuseAddress, ipv6Only } = this.#options;
    const type = this.#family === 'inet4' ? 'udp4' : 'udp6';
    const socket = createSocket({ type, reuseAddr: reuseAddress, ipv6Only });
    const listening = once(socket, 'listening');
    try {
      socket.bind({ address: local.ip, port: local.port, exclusive: true });
      await listening;
    } catch (error) {
      socket.close();
      throw error;
    }
    socket.on('message', (bytes, from) => this.#pass(bytes, from));
    socket.on('error', (error) => this.#tell({ kind: 'failed', socket: this.#id, errno: errnoOfSystem(error) }));
    this.#socket = socket;
    this.#apply(socket);
    return socket;
  }

  /** What there is no room for is dropped, as any datagram may be. */
  #pass(bytes: Uint8Array, { address, port }: RemoteInfo): void {
    const ip = canonicalIp(address);
    const cost = datagramCost(bytes);
    const fits = this.#untaken === 0 || this.#untaken + cost <= this.#options.receiveBuffer;
    if (!fits || ip === undefined) return;
    this.#untaken += cost;
    this.#tell({ kind: 'datagram', socket: this.#id, bytes: Uint8Array.from(bytes), from: { ip, port } });
  }

  #localAddress(): SocketAddress {
    const address = this.#socket?.address();
    const { ip } = anyAddress(this.#family);
    return address === undefined ? { ip, port: 0 } : { ip: canonicalIp(address.address) ?? ip, port: address.port };
  }

  #apply(socket: Socket): void {
    const { broadcast, ttl, multicastTtl, multicastLoop, groups } = this.#options;
    socket.setBroadcast(broadcast);
    socket.setTTL(ttl);
    socket.setMulticastTTL(multicastTtl);
    socket.setMulticastLoopback(multicastLoop);
    for (const group of this.#joined) if (!groups.includes(group)) socket.dropMembership(group);
    for (const group of groups) if (!this.#joined.includes(group)) socket.addMembership(group);
    this.#joined = groups;
  }
}
