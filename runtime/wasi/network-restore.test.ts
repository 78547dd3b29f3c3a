/** Sockets in a snapshot: what is opened again, what is refused, and that nothing is opened for what is refused. */

import { describe, expect, test } from '@jest/globals';
import { errno } from './errno.js';
import { createWasi, restoreWasi, type WasiRestoreOptions, type WasiState } from './index.js';
import { MemoryNetwork } from './memory-network.test.support.js';
import { dgram, NetworkGuest, networkOptions, stream } from './network-guest.test.support.js';
import { datagramOverhead, largestBuffer, newNetworkState } from './network-state.js';

/** A guest on its network, with what is needed to move it to another. */
function makeGuest(): { g: NetworkGuest; network: MemoryNetwork; save: () => WasiState } {
  const network = new MemoryNetwork();
  const wasi = createWasi(networkOptions(network));
  return { g: new NetworkGuest(wasi), network, save: () => JSON.parse(JSON.stringify(wasi.save())) };
}

interface Move {
  readonly grants?: readonly string[];
  readonly connections?: 'reconnect' | 'fail';
}

function move(g: NetworkGuest, state: WasiState, to: MemoryNetwork, { grants, connections }: Move = {}): void {
  const { args: _args, env: _env, ...options } = networkOptions(to, grants);
  const restore: WasiRestoreOptions = { ...options, ...(connections === undefined ? {} : { connections }) };
  g.moveTo(restoreWasi(state, restore));
}

/** A machine on which something listens. */
function listening(port: number): { network: MemoryNetwork; server: NetworkGuest; listener: number } {
  const network = new MemoryNetwork();
  const server = new NetworkGuest(createWasi(networkOptions(network)));
  return { network, server, listener: server.listenOn(port) };
}

function refusal(attempt: () => void): unknown {
  try {
    attempt();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('a listening socket', () => {
  test('listens again, on the same port, with its options', () => {
    const { g, save } = makeGuest();
    const fd = g.listenOn(0);
    g.must('sock_set_keep_alive', fd, 1);
    const { port } = g.nameOf(fd, 'sock_addr_local');
    const elsewhere = new MemoryNetwork();
    move(g, save(), elsewhere);
    expect(g.nameOf(fd, 'sock_addr_local')).toEqual({ ip: '127.0.0.1', port });
    const client = g.connectTo(port);
    g.send(client, 'hello');
    expect(g.receive(g.accept(fd))).toBe('hello');
    expect([...elsewhere.sockets][0]?.options).toMatchObject({ keepAlive: true });
  });

  test('is refused where its port is taken, and what was opened is closed again', () => {
    const { g, save } = makeGuest();
    g.listenOn(70);
    g.listenOn(80);
    const { network } = listening(80);
    expect(refusal(() => move(g, save(), network))).toMatchObject({ code: 'wasi-cannot-bind', fd: 5 });
    expect(network.sockets.size).toBe(1);
  });
});

describe('a connection', () => {
  function connected(): ReturnType<typeof makeGuest> & { fd: number; hangUp: () => void } {
    const made = makeGuest();
    const server = new NetworkGuest(createWasi(networkOptions(made.network)));
    const listener = server.listenOn(80);
    const fd = made.g.connectTo(80);
    const served = server.accept(listener);
    server.send(served, 'not yet read');
    return { ...made, fd, hangUp: () => server.must('sock_close', served) };
  }

  test('is refused without a choice, before anything is opened', () => {
    const { g, save } = connected();
    const { network } = listening(80);
    expect(refusal(() => move(g, save(), network))).toMatchObject({
      code: 'wasi-open-connection',
      hint: expect.stringContaining('--sockets=reconnect'),
    });
    expect(network.sockets.size).toBe(1);
  });

  test('is made again, and what was received before is read first', () => {
    const { g, save, fd } = connected();
    const { network, server, listener } = listening(80);
    move(g, save(), network, { connections: 'reconnect' });
    const served = server.accept(listener);
    server.send(served, 'and this');
    expect([g.receive(fd, 12), g.receive(fd)]).toEqual(['not yet read', 'and this']);
    g.send(fd, 'back');
    expect(server.receive(served)).toBe('back');
  });

  test('that cannot be made again refuses the restore', () => {
    const { g, save } = connected();
    const empty = new MemoryNetwork();
    const refused = refusal(() => move(g, save(), empty, { connections: 'reconnect' }));
    expect(refused).toMatchObject({ code: 'wasi-cannot-reconnect', fd: 4 });
    expect(empty.sockets.size).toBe(0);
  });

  test('breaks when that is chosen, after what was received', () => {
    const { g, save, fd } = connected();
    move(g, save(), new MemoryNetwork(), { connections: 'fail' });
    expect(g.receive(fd)).toBe('not yet read');
    expect([g.receive(fd), g.send(fd, 'x')]).toEqual([-errno.connreset, -errno.connreset]);
  });

  test('that is broken stays so without a further choice', () => {
    const { g, save, fd } = connected();
    const { args: _args, env: _env, ...options } = networkOptions(new MemoryNetwork());
    const wasi = restoreWasi(save(), { ...options, connections: 'fail' });
    g.moveTo(wasi);
    move(g, wasi.save(), new MemoryNetwork());
    expect([g.receive(fd), g.receive(fd)]).toEqual(['not yet read', -errno.connreset]);
  });

  test('that was accepted breaks also when others are made again', () => {
    const { g, save } = makeGuest();
    const listener = g.listenOn(80);
    const client = g.connectTo(80);
    const served = g.accept(listener);
    g.send(client, 'last words');
    g.must('sock_close', client);
    move(g, save(), new MemoryNetwork(), { connections: 'reconnect' });
    expect([g.receive(served), g.receive(served)]).toEqual(['last words', '']);
    expect(g.send(served, 'x')).toBe(-errno.connreset);
  });

  test('that both sides have ended needs no choice', () => {
    const { g, save, fd, hangUp } = connected();
    g.must('sock_shutdown', fd, 2);
    hangUp();
    move(g, save(), new MemoryNetwork());
    expect([g.receive(fd), g.receive(fd)]).toEqual(['not yet read', '']);
  });

  test('that was being made goes on being made', () => {
    const { g, network, save } = makeGuest();
    const fd = g.openSocket(stream);
    g.must('fd_fdstat_set_flags', fd, 4);
    network.slow = true;
    const address = g.address({ ip: '127.0.0.1', port: 80 });
    expect(g.call('sock_connect', fd, address)).toBe(errno.inprogress);
    const there = listening(80);
    move(g, save(), there.network);
    g.must('sock_connect', fd, address);
    expect(there.server.accept(there.listener)).toBeGreaterThan(3);
  });
});

describe('datagrams', () => {
  test('that were not read are kept, with where they came from', () => {
    const { g, save } = makeGuest();
    const fd = g.openSocket(dgram);
    g.must('sock_bind', fd, g.address({ ip: '127.0.0.1', port: 53 }));
    const other = g.openSocket(dgram);
    const [at, from, result] = [g.room(20), g.room(24), g.room(4)];
    for (const text of ['one', 'two']) {
      g.must('sock_send_to', other, ...g.buffer(...g.path(text)), 0, g.address({ ip: '127.0.0.1', port: 53 }), result);
    }
    move(g, save(), new MemoryNetwork());
    for (const text of ['one', 'two']) {
      g.must('sock_recv_from', fd, ...g.buffer(at, 20), 0, from, result);
      expect(g.text(at, g.view.getUint32(result, true))).toBe(text);
      expect(g.addressAt(from).port).toBeGreaterThan(50_000);
    }
  });
});

describe('a snapshot reaches nothing that is not granted', () => {
  interface Claim {
    readonly network?: object;
    readonly unread?: object;
  }

  /** What becomes of the state of one socket, descriptor 4, that claims something else; and what was opened for it. */
  function restoreForged(type: number, claim: Claim, grants?: readonly string[]): { refused: unknown; opened: number } {
    const { g, save } = makeGuest();
    g.openSocket(type);
    const state: WasiState = JSON.parse(JSON.stringify(save()), (key, value) =>
      key === 'network' || key === 'unread' ? { ...value, ...claim[key] } : value,
    );
    const to = new MemoryNetwork();
    const open = to.open.bind(to);
    let opened = 0;
    to.open = (...socket) => {
      opened += 1;
      return open(...socket);
    };
    const how = { connections: 'reconnect', ...(grants === undefined ? {} : { grants }) } as const;
    return { refused: refusal(() => move(g, state, to, how)), opened };
  }

  const elsewhere = { ip: '10.0.0.1', port: 80 };
  const here = { ip: '127.0.0.1', port: 80 };
  const any = { ip: '0.0.0.0', port: 80 };
  const options = newNetworkState('inet4', 'dgram').options;
  const datagram = (bytes: number): object => ({ bytes: Buffer.alloc(bytes).toString('base64'), from: here });

  test.each<[string, number, object]>([
    ['bound', stream, { bound: elsewhere, local: elsewhere }],
    ['connected', stream, { phase: 'connected', remote: elsewhere }],
    ['being connected', stream, { phase: 'connecting', remote: elsewhere }],
    ['a destination of datagrams', dgram, { phase: 'connected', remote: elsewhere }],
    ['a group of another machine`s', dgram, { options: { ...options, groups: ['224.0.0.1'] } }],
  ])('%s', (_, type, network) => {
    const { refused, opened } = restoreForged(type, { network });
    expect(refused).toMatchObject({ code: 'wasi-address-not-granted', fd: 4 });
    expect(opened).toBe(0);
  });

  test('without a network', () => {
    const { g, save } = makeGuest();
    g.listenOn(80);
    const { args: _args, env: _env, network: _network, ...options } = networkOptions(new MemoryNetwork());
    expect(refusal(() => restoreWasi(save(), options))).toMatchObject({
      code: 'wasi-address-not-granted',
      message: expect.stringContaining('listens on 127.0.0.1:80'),
    });
  });

  test.each<[string, number, Claim]>([
    ['a phase that needs an address', stream, { network: { phase: 'listening' } }],
    ['a phase that needs another side', stream, { network: { phase: 'connected', bound: here } }],
    ['an address that is none', stream, { network: { bound: { ip: 'localhost', port: 1 } } }],
    ['an address of another family', stream, { network: { bound: { ip: '::1', port: 80 } } }],
    ['its own address without being bound', dgram, { network: { local: here } }],
    ['another side without a connection', stream, { network: { remote: here } }],
    ['a destination without being connected', dgram, { network: { remote: elsewhere } }],
    ['a destination that it accepted', dgram, { network: { phase: 'accepted', remote: elsewhere } }],
    ['a destination that broke', dgram, { network: { phase: 'broken', remote: elsewhere } }],
    ['datagrams that listen', dgram, { network: { phase: 'listening', bound: here } }],
    ['a connection to any machine', stream, { network: { phase: 'connected', remote: any } }],
    ['a destination that is any machine', dgram, { network: { phase: 'connected', remote: any } }],
    ['a connection to no port', stream, { network: { phase: 'connected', remote: { ...here, port: 0 } } }],
    ['a stream in a group', stream, { network: { options: { ...options, groups: ['127.0.0.1'] } } }],
    ['a group of another family', dgram, { network: { options: { ...options, groups: ['::1'] } } }],
    ['a buffer beyond all bounds', stream, { network: { options: { ...options, receiveBuffer: 2 ** 40 } } }],
    ['a queue beyond all bounds', stream, { network: { phase: 'listening', bound: here, backlog: 2 ** 32 - 1 } }],
    ['something unknown', stream, { network: { extra: 1 } }],
    ['a stream of datagrams', stream, { unread: { datagrams: [datagram(1)] } }],
    ['datagrams of a stream', dgram, { unread: { bytes: 'AAAA' } }],
    ['datagrams that have ended', dgram, { unread: { ended: true } }],
    ['a datagram that is too large', dgram, { unread: { datagrams: [datagram(70_000)] } }],
    ['too many datagrams', dgram, { unread: { datagrams: new Array(20_000).fill(datagram(0)) } }],
    ['more than any buffer holds', stream, { unread: { bytes: 'AAAA'.repeat(1_500_000) } }],
    ['bytes that are none', stream, { unread: { bytes: 'A' } }],
  ])('damaged: %s', (_, type, claim) => {
    const { refused, opened } = restoreForged(type, claim, ['0.0.0.0/0', '::/0']);
    expect(refused).toMatchObject({ code: 'wasi-bad-state' });
    expect(opened).toBe(0);
  });
});

describe('as much as the largest buffer holds is restored', () => {
  test('of a stream', () => {
    const { g, network, save } = makeGuest();
    const server = new NetworkGuest(createWasi(networkOptions(network)));
    const listener = server.listenOn(80);
    const fd = g.connectTo(80);
    server.accept(listener);
    for (const socket of network.sockets) {
      for (let sent = 0; sent < largestBuffer; sent += 65_536) socket.arrive(new Uint8Array(65_536).fill(0x61));
    }
    move(g, save(), new MemoryNetwork(), { connections: 'fail' });
    expect(g.receive(fd, 3)).toBe('aaa');
  });

  test('of datagrams', () => {
    const { g, save } = makeGuest();
    const fd = g.openSocket(dgram);
    const here = g.address({ ip: '127.0.0.1', port: 53 });
    g.must('sock_bind', fd, here);
    const other = g.openSocket(dgram);
    const [empty, result] = [g.buffer(0, 0), g.room(4)];
    for (let count = 0; count < largestBuffer / datagramOverhead; count++) {
      g.must('sock_send_to', other, ...empty, 0, here, result);
    }
    expect(refusal(() => move(g, save(), new MemoryNetwork()))).toBeUndefined();
  });
});
