/** Restoring straight from stored bytes: the memories are read to where they belong, and nothing is opened too early. */

import { describe, expect, test } from '@jest/globals';
import { expectSnapshot, finalState, hostOf } from '../../fixtures/hand-instrumented/host.js';
import { handInstrumented } from '../../fixtures/hand-instrumented/index.js';
import { codeOf, collect } from '../../fixtures/snapshots/samples.js';
import { decodeSnapshot, decodeSnapshotChain, encodeSnapshot, PageTracker, type Snapshot } from '../snapshot/index.js';
import type { Guest } from './guest.js';
import type { ReadInto } from './opening.js';
import { loadProgram } from './program.js';
import { type GuestOptions, restoreGuest, startGuest } from './start.js';
import { noSystem } from './system.js';

const program = await loadProgram(await handInstrumented());
const begin = (): Guest => startGuest(program, { ...hostOf(), entry: 'run', entryArguments: [6, 1n] });
const stopAt = (atPoint: number): Snapshot => expectSnapshot(begin().run({ atPoint }));
const store = (snapshot: Snapshot): Uint8Array => collect(encodeSnapshot(snapshot)).bytes;

/** A host that counts what is opened and closed. */
function countingHost(): { readonly options: GuestOptions; readonly counts: { opened: number; closed: number } } {
  const counts = { opened: 0, closed: 0 };
  const { system, imports } = hostOf();
  if (system === undefined || imports === undefined) throw new Error('the host has no system');
  const options: GuestOptions = {
    imports,
    system: (hooks, saved) => {
      counts.opened += 1;
      return {
        ...system(hooks, saved),
        close: () => {
          counts.closed += 1;
        },
      };
    },
  };
  return { options, counts };
}

describe('a snapshot that is read into the guest', () => {
  test('is in its memory and nowhere else, and goes on from every point', () => {
    const whole = begin();
    const expected = finalState(whole, whole.run());
    for (let atPoint = 1; atPoint <= 24; atPoint++) {
      const bytes = store(stopAt(atPoint));
      let read: Snapshot | undefined;
      const guest = restoreGuest(program, (into) => (read = decodeSnapshot(bytes, into)), hostOf());
      const { memory } = guest.exports;
      expect(memory instanceof WebAssembly.Memory && memory.buffer === read?.memories[0]?.bytes.buffer).toBe(true);
      expect(finalState(guest, guest.run())).toEqual(expected);
    }
  });

  test('can be a chain whose memory grew on the way', () => {
    const whole = begin();
    const expected = finalState(whole, whole.run());
    const guest = begin();
    const tracker = new PageTracker();
    const links: Uint8Array[] = [];
    let parent: string | undefined;
    const sizes = new Set<number>();
    for (const atPoint of [2, 8, 6, 3]) {
      const outcome = guest.run({ atPoint });
      if (outcome.kind !== 'checkpointed') throw new Error(`expected a checkpoint, got ${outcome.kind}`);
      const { memories } = outcome.snapshot;
      sizes.add(memories[0]?.pages ?? 0);
      const { changed, accept } = tracker.changes(memories);
      const { bytes, result } = collect(
        encodeSnapshot(outcome.snapshot, parent === undefined ? {} : { delta: { parent, changed } }),
      );
      accept();
      links.push(bytes);
      parent = result.digest;
    }
    expect(sizes.size).toBe(2);
    const restored = restoreGuest(program, (into) => decodeSnapshotChain(links, into), hostOf());
    expect(finalState(restored, restored.run())).toEqual(expected);
  });
});

describe('a snapshot that cannot be used is refused, and nothing was opened', () => {
  const refusal = (bytes: Uint8Array): unknown => {
    const { options, counts } = countingHost();
    const code = codeOf(() => restoreGuest(program, (into) => decodeSnapshot(bytes, into), options));
    expect(counts.opened).toBe(0);
    return code;
  };
  const sound = stopAt(17);
  const page = 65_536;

  test('for damage that is found when its memory was read already', () => {
    const bytes = store(sound);
    for (const at of [bytes.length - 10, bytes.length >> 1, bytes.length - 40]) {
      const damaged = bytes.slice();
      damaged[at] = (damaged[at] ?? 0) ^ 1;
      expect(refusal(damaged)).toBe('snapshot/digest');
    }
  });

  test.each<[string, Partial<Snapshot>, string]>([
    ['frames that do not fit', { words: sound.words.slice(1) }, 'snapshot/frames'],
    ['an entry that is not running', { entry: 'fall' }, 'snapshot/frames'],
    ['a table too few', { tables: [] }, 'snapshot/state'],
    ['a reference to no function', { tables: [Int32Array.of(0, 1, 2)] }, 'snapshot/state'],
    ['a memory too few', { memories: [] }, 'snapshot/state'],
    [
      'more memory than the module may have',
      { memories: [{ pages: 5, bytes: new Uint8Array(5 * page) }] },
      'memory-limit',
    ],
    ['less memory than it always has', { memories: [{ pages: 0, bytes: new Uint8Array() }] }, 'bad-state'],
  ])('for %s', (_what, change, code) => {
    expect(refusal(store({ ...sound, ...change }))).toBe(code);
  });

  test('for another module, before its memory is asked for, naming both', () => {
    const hash = 'f'.repeat(64);
    const bytes = store({ ...sound, module: { ...sound.module, hash } });
    let asked = 0;
    const read = (into: ReadInto): Snapshot =>
      decodeSnapshot(bytes, {
        ...into,
        memory: (index, pages) => {
          asked += 1;
          return into.memory(index, pages);
        },
      });
    expect(() => restoreGuest(program, read, hostOf())).toThrow(
      `was made by the module with SHA-256 ${hash}, this module has ${program.hash}`,
    );
    expect(asked).toBe(0);
  });

  test('and what was opened for a module with an import too many is closed', () => {
    const { options, counts } = countingHost();
    const { system = noSystem } = options;
    const deaf: GuestOptions = { ...options, system: (hooks, saved) => ({ ...system(hooks, saved), imports: {} }) };
    expect(codeOf(() => restoreGuest(program, sound, deaf))).toBe('unknown-import');
    expect(() => restoreGuest(program, sound, deaf)).toThrow(/fd_read \(function\)/);
    expect(counts).toEqual({ opened: 2, closed: 2 });
  });
});
