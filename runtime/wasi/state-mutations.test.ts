/**
 * Row 6 of the catalogue of bad input, for the state of WASI: it is changed where it hurts, and restored. Whatever comes of
 * it, nothing is reached that was not granted, neither by the restore nor by a guest that then uses what it has:
 *
 *   MVVM_MUTATIONS=100000 npx jest dist/runtime/wasi/state-mutations    how many; MVVM_SEED=n repeats a run
 */

import { expect, test } from '@jest/globals';
import { Random } from '../../fixtures/fuzz/random.js';
import { errno, fail } from './errno.js';
import { openFlag } from './flags.js';
import {
  createMemoryDirectory,
  createWasi,
  type Directory,
  type Preopen,
  restoreWasi,
  WasiError,
  type WasiOptions,
} from './index.js';
import { MemoryNetwork, type MemorySocket } from './memory-network.test.support.js';
import { dgram, NetworkGuest, networkOptions } from './network-guest.test.support.js';

const count = Number(process.env['MVVM_MUTATIONS'] ?? 2000);
const seed = Number(process.env['MVVM_SEED'] ?? 1);

const trees = (): Record<'/' | 'fixed', Directory> => ({
  '/': createMemoryDirectory({ a: 'some text', log: 'line', sub: { b: 'more', empty: '' } }),
  fixed: createMemoryDirectory({ a: 'not to be changed', sub: { b: 'nor this' } }),
});

/** Options of a run, on directories and a network that the test looks at. */
function optionsFor(preopens: readonly Preopen[], network: MemoryNetwork): WasiOptions {
  return networkOptions(network, ['127.0.0.1'], { preopens, wait: () => fail(errno.intr) });
}

/** A guest with files, directories and sockets of every kind, in the middle of things: its state as a snapshot has it. */
function savedState(): string {
  const network = new MemoryNetwork();
  const roots = trees();
  const preopens = [
    { guest: '/', root: roots['/'] },
    { guest: 'fixed', root: roots.fixed, readOnly: true },
  ];
  const wasi = createWasi(optionsFor(preopens, network));
  const g = new NetworkGuest(wasi);
  const server = new NetworkGuest(createWasi(networkOptions(network)));
  const listener = server.listenOn(90);
  g.read(g.open('a'), 3);
  g.open('log', { fdFlags: 1 });
  g.open('b', {}, g.open('sub', { flags: openFlag.directory }));
  g.open('a', { rights: 2, inheriting: 0 }, 4);
  g.list(3, 0n, 60);
  g.listenOn(70);
  g.connectTo(90);
  server.send(server.accept(listener), 'not yet read');
  g.openSocket(dgram);
  return JSON.stringify(wasi.save());
}
const sound = savedState();

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

interface Spot {
  readonly key: string;
  readonly value: Json;
  readonly set: (value: Json) => void;
  readonly remove: () => void;
}

/** Every value in the state but the whole. */
function spotsOf(value: Json): Spot[] {
  if (Array.isArray(value)) {
    const own = value.map(
      (item, index): Spot => ({
        key: '',
        value: item,
        set: (other) => {
          value[index] = other;
        },
        remove: () => value.splice(index, 1),
      }),
    );
    return [...own, ...value.flatMap(spotsOf)];
  }
  if (typeof value !== 'object' || value === null) return [];
  const own = Object.entries(value).map(
    ([key, item]): Spot => ({
      key,
      value: item,
      set: (other) => {
        value[key] = other;
      },
      remove: () => delete value[key],
    }),
  );
  return [...own, ...Object.values(value).flatMap(spotsOf)];
}

const numbers = [0, 1, 2, 5, 255, 4096, 2 ** 29 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 53, -1, 0.5];
const texts = ['', '.', '..', '../a', '/etc/passwd', 'a\0', 'a', 'b', 'sub', 'log', 'x'.repeat(300), 'ä\ud800'];
const ips = ['10.0.0.1', '0.0.0.0', '127.0.0.1', '::1', '::', '::ffff:10.0.0.1', '224.0.0.1', 'localhost'];
const ports = [0, 70, 80, 81, 90];
const addresses = ips.flatMap((ip) => ports.map((port) => ({ ip, port })));
/** What fits in the place of a value, by its name. */
const fitting: Readonly<Record<string, readonly Json[]>> = {
  fd: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
  kind: ['stdio', 'file', 'directory', 'socket'],
  preopen: ['/', 'fixed', '/etc', ''],
  path: [['a'], ['sub'], ['sub', 'b'], ['sub', 'empty'], ['nowhere'], ['a', 'b'], ['..', 'a'], []],
  phase: ['idle', 'listening', 'connecting', 'connected', 'accepted', 'broken'],
  type: ['stream', 'dgram', 'regular-file', 'directory'],
  family: ['inet4', 'inet6'],
  ip: ips,
  port: ports,
  bound: addresses,
  remote: addresses,
  local: addresses,
  groups: ips.map((ip) => [ip]),
  rights: [0, 2, 64, 2 ** 29 - 1, 2 ** 30 - 1],
  inheriting: [0, 2, 64, 2 ** 29 - 1],
  flags: [0, 1, 4, 31, 32],
};

function mutate(random: Random): Json {
  const state: Json = JSON.parse(sound);
  for (let rounds = random.between(1, 3); rounds > 0; rounds--) {
    const spots = spotsOf(state);
    const known = spots.filter(({ key }) => key in fitting);
    const spot = random.pick(random.chance(85) && known.length > 0 ? known : spots);
    // A part of the state in another's place fits as nothing else does.
    const other = JSON.parse(JSON.stringify(random.pick(spots).value));
    const odd = typeof spot.value === 'string' ? texts : numbers;
    const choices: readonly (readonly [number, () => void])[] = [
      [20, () => spot.set(random.pick<Json>(fitting[spot.key] ?? numbers))],
      [3, () => spot.set(other)],
      [1, () => spot.set(random.pick<Json>(odd))],
      [1, () => spot.set(random.pick<Json>([null, true, false, [], {}]))],
      [1, spot.remove],
      [1, () => (Array.isArray(spot.value) ? spot.value.push(other) : undefined)],
    ];
    random.weighted(choices)();
  }
  return state;
}

const changing = ['setTimesOf', 'createDirectory', 'removeDirectory', 'unlink', 'symlink', 'link', 'rename'];
const isOneName = (name: unknown): boolean =>
  typeof name === 'string' && name !== '' && name !== '..' && !/[/\0]/.test(name);

/** A directory that tells what is asked of it, and of those below, that must not be. */
function watched(directory: Directory, isFixed: boolean, complain: (what: string) => void): Directory {
  return new Proxy(directory, {
    get: (target, method: keyof Directory) => {
      const call = target[method];
      if (typeof call !== 'function') return call;
      return (...args: readonly unknown[]): unknown => {
        const [name, how] = args;
        if (args.length > 0 && !isOneName(name)) complain(`${method} of ${JSON.stringify(name)}`);
        if (changing.includes(method)) complain(`${method} of ${name}`);
        if (method === 'open') {
          const { create, truncate, exclusive, write } = Object(how);
          if (create || truncate || exclusive || (isFixed && write)) complain(`open of ${name} to change it`);
        }
        const result: unknown = Reflect.apply(call, target, args);
        return isDirectory(result) ? watched(result, isFixed, complain) : result;
      };
    },
  });
}

function isDirectory(value: unknown): value is Directory {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'directory';
}

/** A machine of whose addresses one was granted; it answers on two of its ports. Says how many sockets the guest has open. */
function watchedNetwork(complain: (what: string) => void): { network: MemoryNetwork; open: () => number } {
  const network = new MemoryNetwork();
  const server = new NetworkGuest(createWasi(networkOptions(network)));
  for (const port of [80, 90]) server.listenOn(port);
  const sockets: MemorySocket[] = [];
  const open = network.open.bind(network);
  network.open = (family, type) => {
    const socket = open(family, type);
    // The other side of a connection has no family here.
    if (family === '') return socket;
    sockets.push(socket);
    for (const method of ['bind', 'connect', 'connectNow', 'sendTo', 'configure'] as const) watchMethod(socket, method);
    return socket;
  };
  const watchMethod = (
    socket: MemorySocket,
    method: 'bind' | 'connect' | 'connectNow' | 'sendTo' | 'configure',
  ): void => {
    const call = socket[method].bind(socket);
    Object.assign(socket, {
      [method]: (...args: readonly unknown[]): unknown => {
        for (const ip of JSON.stringify(args).match(/(?<="ip":"|"groups":\[")[^"]*/g) ?? []) {
          if (ip !== '127.0.0.1') complain(`${method} of ${ip}`);
        }
        return Reflect.apply(call, socket, args);
      },
    });
  };
  return { network, open: () => sockets.filter((socket) => network.sockets.has(socket)).length };
}

function outcomeOf(state: Json, complain: (what: string) => void): string {
  const roots = trees();
  const preopens: Preopen[] = [
    { guest: '/', root: watched(roots['/'], false, complain), onChangedFile: 'accept' },
    { guest: 'fixed', root: watched(roots.fixed, true, complain), readOnly: true, onChangedFile: 'accept' },
  ];
  const { network, open } = watchedNetwork(complain);
  const { args: _args, env: _env, ...options } = optionsFor(preopens, network);
  try {
    const wasi = restoreWasi(JSON.parse(JSON.stringify(state)), { ...options, connections: 'reconnect' });
    const g = new NetworkGuest(wasi);
    for (let fd = 0; fd < 20; fd++) {
      g.write(fd, 'x');
      g.call('sock_connect', fd, g.address({ ip: '10.0.0.1', port: 80 }));
      g.call('fd_read', fd, ...g.buffer(g.room(8), 8), g.room(4));
      g.call('fd_readdir', fd, g.room(100), 100, 0n, g.room(4));
    }
    wasi.close();
    if (open() > 0) complain('a socket that is still open');
    return 'restored';
  } catch (error) {
    if (!(error instanceof WasiError)) throw error;
    if (open() > 0) complain(`a socket that is open after ${error.code}`);
    return error.code;
  }
}

test('the state itself is restored', () => {
  const complaints: string[] = [];
  expect(outcomeOf(JSON.parse(sound), (what) => complaints.push(what))).toBe('restored');
  expect(complaints).toEqual([]);
});

test(`${count} changed states are restored within what was granted, or refused by a code, and nothing else`, () => {
  const outcomes = new Map<string, number>();
  for (let index = 0; index < count; index++) {
    const complaints: string[] = [];
    const repeat = `MVVM_SEED=${seed + index} MVVM_MUTATIONS=1`;
    const state = mutate(new Random(seed + index));
    let outcome: string;
    try {
      outcome = outcomeOf(state, (what) => complaints.push(what));
    } catch (error) {
      throw new Error(`${repeat}: ${error instanceof Error ? error.stack : error}`);
    }
    if (complaints.length > 0) throw new Error(`${repeat}: ${outcome}, and ${complaints.join(', ')}`);
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
  if (count > 2000) process.stderr.write(`${JSON.stringify(Object.fromEntries(outcomes))}\n`);
  if (count < 2000) return;
  // They reach every layer of the checks.
  const reached = [
    'restored',
    ...['bad-state', 'not-granted', 'rights-not-granted', 'file-gone', 'file-of-other-kind'].map(
      (code) => `wasi-${code}`,
    ),
    ...['address-not-granted', 'cannot-bind', 'cannot-reconnect'].map((code) => `wasi-${code}`),
  ];
  expect(reached.filter((outcome) => !outcomes.has(outcome))).toEqual([]);
}, 3_600_000);
