import { describe, expect, test } from '@jest/globals';
import { errno } from './errno.js';
import { fdFlag } from './flags.js';
import { createWasi, type WasiOptions } from './index.js';
import { dgram, NetworkGuest, networkGuest, stream } from './network-guest.test.support.js';
import { testOptions } from './wasi-guest.test.support.js';

const here = (port: number): { ip: string; port: number } => ({ ip: '127.0.0.1', port });

describe('a stream', () => {
  test('is bound, listens, is connected to, and carries bytes both ways', () => {
    const { g } = networkGuest();
    const listener = g.listenOn(80);
    const client = g.connectTo(80);
    const served = g.accept(listener);
    expect(g.send(client, 'question')).toBe(8);
    expect(g.receive(served, 5)).toBe('quest');
    expect(g.receive(served)).toBe('ion');
    expect(g.write(served, 'answer')).toBe(6);
    expect(g.read(client, 50)).toBe('answer');
    expect(g.nameOf(client, 'sock_addr_remote')).toEqual(here(80));
    expect(g.nameOf(served, 'sock_addr_remote')).toEqual(g.nameOf(client, 'sock_addr_local'));
    g.must('sock_shutdown', client, 2);
    expect(g.receive(served)).toBe('');
    g.must('sock_close', served);
    expect(g.call('sock_close', served)).toBe(errno.badf);
  });

  test('is given a free port when it asks for none', () => {
    const { g } = networkGuest();
    const fd = g.openSocket(stream);
    expect(g.nameOf(fd, 'sock_addr_local')).toEqual({ ip: '0.0.0.0', port: 0 });
    g.must('sock_bind', fd, g.address(here(0)));
    expect(g.nameOf(fd, 'sock_addr_local').port).toBeGreaterThan(50_000);
    expect(g.call('sock_bind', fd, g.address(here(0)))).toBe(errno.inval);
  });

  test('tells what goes wrong', () => {
    const { g } = networkGuest();
    const fd = g.openSocket(stream);
    expect(g.call('sock_connect', fd, g.address(here(80)))).toBe(errno.connrefused);
    expect([g.receive(fd), g.send(fd, 'x')]).toEqual([-errno.notconn, -errno.notconn]);
    expect(g.call('sock_addr_remote', fd, 512)).toBe(errno.notconn);
    expect(g.call('sock_accept', fd, 0, 512)).toBe(errno.inval);
    expect(g.call('sock_bind', fd, g.address({ ip: '::1', port: 1 }))).toBe(errno.afnosupport);
    const listener = g.listenOn(80);
    expect(g.call('sock_bind', fd, g.address(here(80)))).toBe(errno.addrinuse);
    expect(g.call('sock_connect', listener, g.address(here(80)))).toBe(errno.inval);
    const client = g.connectTo(80);
    expect(g.call('sock_connect', client, g.address(here(80)))).toBe(errno.isconn);
    expect(g.call('sock_listen', client, 1)).toBe(errno.inval);
    expect(g.call('sock_open', -1, 2, stream, 512)).toBe(errno.afnosupport);
    expect(g.call('sock_open', -1, 0, 2, 512)).toBe(errno.protonosupport);
    expect(g.call('sock_open', -1, 0, stream, 131_070)).toBe(errno.fault);
  });
});

describe('datagrams', () => {
  test('go to where they are sent, whole, and say where they come from', () => {
    const { g } = networkGuest();
    const [one, other] = [g.openSocket(dgram), g.openSocket(dgram)];
    g.must('sock_bind', one, g.address(here(53)));
    const result = g.room(8);
    g.must('sock_send_to', other, ...g.buffer(...g.path('datagram')), 0, g.address(here(53)), result);
    const [at, from] = [g.room(20), g.room(24)];
    g.must('sock_recv_from', one, ...g.buffer(at, 4), 0, from, result);
    expect(g.text(at, g.view.getUint32(result, true))).toBe('data');
    g.must('sock_send_to', one, ...g.buffer(...g.path('back')), 0, from, result);
    expect(g.view.getUint32(result, true)).toBe(4);
  });

  test('need a destination', () => {
    const { g } = networkGuest();
    const fd = g.openSocket(dgram);
    expect(g.send(fd, 'x')).toBe(-errno.destaddrreq);
    expect(g.call('sock_listen', fd, 1)).toBe(errno.notsup);
    g.must('sock_connect', fd, g.address(here(53)));
    expect(g.send(fd, 'x')).toBe(1);
    const args = [...g.buffer(...g.path('x')), 0, g.address(here(53)), 600] as const;
    expect(g.call('sock_send_to', fd, ...args)).toBe(errno.isconn);
    expect(g.call('sock_send_to', g.openSocket(dgram), ...g.buffer(0, 65_508), 0, g.address(here(53)), 600)).toBe(
      errno.msgsize,
    );
  });
});

describe('without a grant', () => {
  test('no address can be used', () => {
    const { g, network } = networkGuest(['127.0.0.1:80']);
    const listener = g.listenOn(80);
    const fd = g.openSocket(stream);
    for (const address of [here(81), here(0), { ip: '127.0.0.2', port: 80 }, { ip: '0.0.0.0', port: 80 }]) {
      expect(g.call('sock_bind', fd, g.address(address))).toBe(errno.acces);
    }
    expect(g.call('sock_connect', fd, g.address(here(81)))).toBe(errno.acces);
    expect(g.call('sock_listen', fd, 1)).toBe(errno.acces);
    const args = [...g.buffer(...g.path('x')), 0, g.address(here(81)), 600] as const;
    expect(g.call('sock_send_to', g.openSocket(dgram), ...args)).toBe(errno.acces);
    expect([...network.bound.keys()]).toEqual(['127.0.0.1 80']);
    // No machine at all means this one: that is granted.
    g.must('sock_connect', fd, g.address({ ip: '0.0.0.0', port: 80 }));
    expect(g.nameOf(g.accept(listener), 'sock_addr_local')).toEqual(here(80));
  });

  test('there is no network at all', () => {
    const g = new NetworkGuest(createWasi(testOptions()));
    expect(g.call('sock_open', -1, 0, stream, 512)).toBe(errno.acces);
  });
});

describe('names', () => {
  const resolve = (
    g: NetworkGuest,
    host: string,
    service: string,
    hints = '0 0 0',
  ): { error: number; found: string[] } => {
    const [list, result, wanted] = [g.room(28 * 4), g.room(4), g.room(12)];
    const [type = 0, family = 0, on = 0] = hints.split(' ').map(Number);
    g.view.setInt32(wanted, type, true);
    g.view.setUint32(wanted + 4, family, true);
    g.view.setUint8(wanted + 8, on);
    const [name] = g.path(`${host}\0`.slice(0, -1));
    g.room(8);
    const [port] = g.path(service === '' ? ' ' : service);
    if (service === '') g.view.setUint8(port, 0);
    const error = g.call('sock_addr_resolve', name, port, wanted, list, 4, result);
    const count = error === 0 ? Math.min(4, g.view.getUint32(result, true)) : 0;
    const found = Array.from({ length: count }, (_, index) => {
      const { ip, port: found } = g.addressAt(list + index * 28);
      return `${ip} ${found} ${g.view.getUint32(list + index * 28 + 24, true)}`;
    });
    return { error, found };
  };

  test('that are addresses stand for themselves', () => {
    const { g } = networkGuest();
    expect(resolve(g, '10.1.2.3', '80').found).toEqual(['10.1.2.3 80 1', '10.1.2.3 80 0']);
    expect(resolve(g, '::1', '', '1 1 1').found).toEqual(['::1 0 1']);
    expect(resolve(g, '::1', '', '1 0 1').found).toEqual([]);
    expect(resolve(g, '::1', 'http').error).toBe(errno.inval);
    expect(resolve(g, '::1', '65536').error).toBe(errno.inval);
  });

  test('are looked up when they are granted, and may be used then', () => {
    const { g, network } = networkGuest(['db.example:80']);
    network.names['db.example'] = ['127.0.0.1'];
    expect(resolve(g, 'db.example', '80', '-1 2 1').found).toEqual(['127.0.0.1 80 1', '127.0.0.1 80 0']);
    g.listenOn(80);
    expect(resolve(g, 'other.example', '80').error).toBe(errno.acces);
  });

  test('that do not exist are not found', () => {
    const { g } = networkGuest(['nowhere.example']);
    expect(resolve(g, 'nowhere.example', '80').error).toBe(errno.noent);
  });
});

describe('a call that has to wait', () => {
  function waiting(outcome: ReturnType<WasiOptions['wait']>): ReturnType<typeof networkGuest> & { log: string[] } {
    const log: string[] = [];
    const wait: WasiOptions['wait'] = ({ sockets, mustEnd, timeout }) => {
      log.push(
        `wait for ${sockets.length}${mustEnd === true ? ', must end' : ''}${timeout === undefined ? '' : `, ${timeout}`}`,
      );
      return outcome;
    };
    return { ...networkGuest(['127.0.0.1'], { wait, interrupt: () => log.push('interrupt') }), log };
  }

  test('is left without effect, and ends well when it is made again', () => {
    const { g, network, log } = waiting('interrupted');
    const listener = g.listenOn(80);
    const fd = g.openSocket(stream);
    const address = g.address(here(80));
    network.slow = true;
    expect(g.call('sock_accept', listener, 0, 512)).toBe(0);
    expect(g.call('sock_connect', fd, address)).toBe(0);
    expect(log).toEqual(['wait for 1', 'interrupt', 'wait for 1', 'interrupt']);
    expect(g.view.getUint32(512, true)).toBe(0);
    network.slow = false;
    g.must('sock_connect', fd, address);
    const served = g.accept(listener);
    expect(g.receive(served)).toBe('');
    expect(log).toHaveLength(6);
    expect(g.send(fd, 'later')).toBe(5);
    expect(g.receive(served)).toBe('later');
  });

  test('is not left when it is a write to a file descriptor', () => {
    const { g, network, log } = waiting('interrupted');
    g.listenOn(80);
    const fd = g.connectTo(80);
    for (const socket of network.sockets) socket.room = 0;
    expect(g.write(fd, 'x')).toBe(0);
    expect(log).toEqual(['wait for 1, must end', 'interrupt']);
  });

  test('does not wait on a socket that is set so', () => {
    const { g, network, log } = waiting('ready');
    const listener = g.listenOn(80);
    const fd = g.openSocket(stream);
    for (const one of [listener, fd]) g.must('fd_fdstat_set_flags', one, fdFlag.nonblock);
    expect(g.call('sock_accept', listener, 0, 512)).toBe(errno.again);
    network.slow = true;
    const address = g.address(here(80));
    expect(g.call('sock_connect', fd, address)).toBe(errno.inprogress);
    expect(g.call('sock_connect', fd, address)).toBe(errno.already);
    expect(g.call('sock_connect', fd, g.address(here(81)))).toBe(errno.already);
    expect(g.send(fd, 'x')).toBe(-errno.notconn);
    network.slow = false;
    expect(g.send(fd, 'x')).toBe(1);
    expect(g.call('sock_connect', fd, address)).toBe(errno.isconn);
    expect(log).toEqual([]);
  });

  test('ends with EAGAIN after the time that the guest has set', () => {
    const { g, log } = waiting('timeout');
    g.listenOn(80);
    const fd = g.connectTo(80);
    g.must('sock_set_recv_timeout', fd, 1500n);
    expect(g.receive(fd)).toBe(-errno.again);
    expect(log).toEqual(['wait for 1, 1500000']);
  });
});

describe('poll_oneoff', () => {
  const poll = (g: NetworkGuest, ...wanted: [fd: number, type: number][]): number[] => {
    const [list, events, result] = [g.room(48 * wanted.length), g.room(32 * wanted.length), g.room(4)];
    wanted.forEach(([fd, type], index) => {
      g.view.setBigUint64(list + index * 48, BigInt(index), true);
      g.view.setUint8(list + index * 48 + 8, type);
      g.view.setUint32(list + index * 48 + 16, fd, true);
    });
    g.must('poll_oneoff', list, events, wanted.length, result);
    const count = g.view.getUint32(result, true);
    return Array.from({ length: count }, (_, index) => Number(g.view.getBigUint64(events + index * 32, true)));
  };

  test('tells which sockets can be read, written and accepted from', () => {
    const { g } = networkGuest();
    const listener = g.listenOn(80);
    const client = g.connectTo(80);
    expect(poll(g, [listener, 1], [client, 1], [client, 2])).toEqual([0, 2]);
    const served = g.accept(listener);
    g.send(served, 'x');
    expect(poll(g, [listener, 1], [client, 1])).toEqual([1]);
  });
});

describe('options', () => {
  const get = (g: NetworkGuest, name: string, fd: number, size: 1 | 4 | 8): number => {
    const at = g.room(8);
    g.must(`sock_get_${name}`, fd, at);
    if (size === 1) return g.view.getUint8(at);
    return size === 4 ? g.view.getUint32(at, true) : Number(g.view.getBigUint64(at, true));
  };

  test.each([
    ['reuse_addr', stream, 1, 0, 1],
    ['keep_alive', stream, 1, 0, 1],
    ['tcp_no_delay', stream, 1, 0, 1],
    ['tcp_quick_ack', stream, 1, 1, 0],
    ['tcp_fastopen_connect', stream, 1, 0, 1],
    ['tcp_keep_idle', stream, 4, 7200, 60],
    ['tcp_keep_intvl', stream, 4, 75, 5],
    ['recv_buf_size', stream, 4, 65_536, 8192],
    ['send_buf_size', dgram, 4, 65_536, 8192],
    ['broadcast', dgram, 1, 0, 1],
    ['ip_ttl', dgram, 1, 64, 8],
    ['ip_multicast_ttl', dgram, 1, 1, 8],
  ] as const)('%s is kept', (name, type, size, before, value) => {
    const { g, network } = networkGuest();
    const fd = g.openSocket(type);
    expect(get(g, name, fd, size)).toBe(before);
    g.must(`sock_set_${name}`, fd, value);
    expect(get(g, name, fd, size)).toBe(value);
    expect([...network.sockets][0]?.options).toBeDefined();
    const other = g.openSocket(type === stream ? dgram : stream);
    if (!['reuse_addr', 'recv_buf_size', 'send_buf_size'].includes(name)) {
      expect(g.call(`sock_set_${name}`, other, value)).toBe(errno.noprotoopt);
    }
  });

  test('with more than one value', () => {
    const { g, network } = networkGuest();
    const [fd, at] = [g.openSocket(stream), g.room(8)];
    g.must('sock_set_linger', fd, 1, 7);
    g.must('sock_get_linger', fd, at, at + 4);
    expect([g.view.getUint8(at), g.view.getUint32(at + 4, true)]).toEqual([1, 7]);
    expect([...network.sockets][0]?.options).toMatchObject({ linger: 7 });
    g.must('sock_set_recv_timeout', fd, 2n ** 63n);
    expect(get(g, 'recv_timeout', fd, 8)).toBe(Number.MAX_SAFE_INTEGER);
    const datagrams = g.openSocket(dgram);
    g.must('sock_set_ip_multicast_loop', datagrams, 0, 0);
    g.must('sock_get_ip_multicast_loop', datagrams, 0, at);
    expect(g.view.getUint8(at)).toBe(0);
  });

  test('that cannot be had are refused', () => {
    const { g } = networkGuest();
    const fd = g.openSocket(stream);
    expect(g.call('sock_set_reuse_port', fd, 1)).toBe(errno.noprotoopt);
    g.must('sock_set_reuse_port', fd, 0);
    expect(g.call('sock_set_ipv6_only', fd, 1)).toBe(errno.noprotoopt);
    g.must('sock_set_ipv6_only', g.openSocket(stream, 1), 1);
    expect(g.call('sock_set_tcp_keep_idle', fd, 0)).toBe(errno.inval);
    g.must('sock_set_recv_buf_size', fd, 0);
    expect(get(g, 'recv_buf_size', fd, 4)).toBe(1024);
  });

  test('a multicast group must be granted', () => {
    const { g } = networkGuest(['127.0.0.1', '239.0.0.0/8']);
    const fd = g.openSocket(dgram);
    const [granted, other] = [g.address({ ip: '239.1.2.3', port: 0 }), g.address({ ip: '224.0.0.1', port: 0 })];
    expect(g.call('sock_set_ip_add_membership', fd, other, 0)).toBe(errno.acces);
    g.must('sock_set_ip_add_membership', fd, granted, 0);
    expect(g.call('sock_set_ip_add_membership', fd, granted, 0)).toBe(errno.addrinuse);
    g.must('sock_set_ip_drop_membership', fd, granted, 0);
    expect(g.call('sock_set_ip_drop_membership', fd, granted, 0)).toBe(errno.addrnotavail);
  });

  test('a multicast group is of the family of its socket', () => {
    const { g } = networkGuest(['239.0.0.0/8']);
    const group = g.address({ ip: '239.1.2.3', port: 0 });
    expect(g.call('sock_set_ip_add_membership', g.openSocket(dgram, 1), group, 0)).toBe(errno.afnosupport);
  });
});
