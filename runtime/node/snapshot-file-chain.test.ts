/** Chains of files: what is written when, what is read whenever it stops, what is refused. */

import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { changesIn } from '../../fixtures/folder-tree.js';
import { deadProcess } from '../../fixtures/processes.js';
import { codeOf, memoryWith, sampleSnapshot } from '../../fixtures/snapshots/samples.js';
import type { Snapshot } from '../snapshot/index.js';
import { compactSnapshotChain, readSnapshotChain, removeSnapshotChain } from './snapshot-file-chain.js';
import { type ChainOptions, SnapshotChainWriter } from './snapshot-file-chain-writer.js';
import { nodeFileSystem, type SnapshotFileSystem } from './snapshot-file-system.js';
import { temporaryName } from './snapshot-file-temporary.js';

let folder = '';
let path = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mvvm-chain-'));
  path = join(folder, 'job.snap');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What a power cut would lose cannot be seen here, and waiting for disks is all that takes time. */
const quickFiles: SnapshotFileSystem = { ...nodeFileSystem, sync: () => undefined, syncDirectory: () => undefined };
const newWriter = (options: ChainOptions = {}): SnapshotChainWriter =>
  new SnapshotChainWriter(path, { files: quickFiles, ...options });

/** The run at its n-th checkpoint: page n differs from the one before. */
const stateAt = (n: number): Snapshot => {
  const memory = memoryWith(2, { 100000: [7], 120000: [8] });
  for (let page = 1; page <= n; page++) memory.bytes.fill(page, page * 4096, page * 4096 + 10);
  return sampleSnapshot({ stablePoints: n, memories: [memory] });
};

function expectState(n: number, at = path): void {
  const { snapshot } = readSnapshotChain(at);
  const expected = stateAt(n);
  expect(snapshot.stablePoints).toBe(n);
  expect(
    Buffer.compare(snapshot.memories[0]?.bytes ?? Buffer.alloc(0), expected.memories[0]?.bytes ?? Buffer.alloc(1)),
  ).toBe(0);
}

/** Writes checkpoints 1 to n. */
function writeRun(n: number, options: ChainOptions = {}): SnapshotChainWriter {
  const writer = newWriter(options);
  for (let step = 1; step <= n; step++) writer.write(stateAt(step));
  return writer;
}

/** What stands in the folder, the digest in names written as `<base>`. */
const names = (): string[] =>
  readdirSync(folder)
    .map((name) => name.replace(/[0-9a-f]{12}(?=\.\d+$)/, '<base>'))
    .sort();
const deltaFiles = (): string[] =>
  readdirSync(folder)
    .filter((name) => name !== 'job.snap')
    .sort();

describe('a run that goes on', () => {
  test('writes a base, then what changed beside it', () => {
    const writer = newWriter();
    const written = [1, 2, 3].map((n) => writer.write(stateAt(n)));
    expect(written.map(({ kind, pages }) => [kind, pages])).toEqual([
      ['base', 3],
      ['delta', 1],
      ['delta', 1],
    ]);
    expect(names()).toEqual(['job.snap', 'job.snap.<base>.1', 'job.snap.<base>.2']);
    expect(written.map(({ file }) => file)).toEqual(
      readdirSync(folder)
        .sort()
        .map((name) => join(folder, name)),
    );
    expect(written[0]?.digest.slice(0, 12)).toBe(deltaFiles()[0]?.split('.')[2]);
    expectState(3);
    expect(statSync(written[1]?.file ?? '').mode & 0o777).toBe(0o600);
  });

  test('begins a new base when the chain is long, and removes what it replaces', () => {
    writeRun(4, { mostDeltas: 2 });
    expect(names()).toEqual(['job.snap']);
    expectState(4);
    writeRun(6, { mostDeltas: 2 });
    expect(names()).toEqual(['job.snap', 'job.snap.<base>.1', 'job.snap.<base>.2']);
    expectState(6);
  });

  test('begins a new base when the deltas would be larger than it', () => {
    const writer = writeRun(2);
    const other = memoryWith(40, {});
    other.bytes.fill(9);
    expect(writer.write({ ...stateAt(3), memories: [other] }).kind).toBe('base');
    expect(names()).toEqual(['job.snap']);
  });

  test('ends in one file that needs no other', () => {
    const writer = writeRun(3);
    writer.writeWhole(stateAt(4));
    expect(names()).toEqual(['job.snap']);
    expectState(4);
    expect(writer.write(stateAt(5)).kind).toBe('base');
  });

  test('compares only what is suspect, and stores of it what changed', () => {
    const writer = writeRun(1);
    const next = stateAt(3);
    const delta = writer.write(next, [[{ first: 2, count: 1 }]]);
    // Page 3 changed too, and nobody said so.
    expect(delta).toMatchObject({ kind: 'delta', pages: 1 });
    expect(delta.bytes).toBeLessThan(4096 + 2048);
  });

  test.each([
    ['moved away', () => renameSync(path, join(folder, 'elsewhere'))],
    ['replaced by another run', () => newWriter().write(stateAt(9))],
    ['robbed of a delta', () => unlinkSync(join(folder, deltaFiles()[0] ?? ''))],
  ])('begins a new base when its chain was %s', (_, meanwhile) => {
    const writer = writeRun(2);
    meanwhile();
    expect(writer.write(stateAt(3)).kind).toBe('base');
    expectState(3);
  });
});

describe('reading a chain', () => {
  test.each([
    ['a link is missing', 'snapshot/missing-link', (files: readonly string[]) => unlinkSync(files[0] ?? '')],
    [
      'a link is another one',
      'snapshot/wrong-parent',
      (files: readonly string[]) => copyFileSync(files[2] ?? '', files[1] ?? ''),
    ],
    ['a link is a base', 'snapshot/wrong-parent', (files: readonly string[]) => copyFileSync(path, files[2] ?? '')],
    [
      'a link is no snapshot',
      'snapshot/bad-magic',
      (files: readonly string[]) => writeFileSync(files[1] ?? '', 'x'.repeat(500)),
    ],
    [
      'a link is cut short',
      'snapshot/digest',
      (files: readonly string[]) => writeFileSync(files[2] ?? '', readFileSync(files[2] ?? '').subarray(0, -100)),
    ],
  ])('is refused when %s', (_, code, damage) => {
    writeRun(4);
    damage(deltaFiles().map((name) => join(folder, name)));
    expect(changesIn(folder, () => expect(codeOf(() => readSnapshotChain(path))).toBe(code))).toEqual([]);
  });

  test('of another run in the same place finds nothing of the old one', () => {
    writeRun(3);
    const [first = ''] = deltaFiles();
    const kept = readFileSync(join(folder, first));
    newWriter().write(stateAt(9));
    writeFileSync(join(folder, first), kept);
    expectState(9);
  });

  test('beside a link to the base finds the deltas at the base', () => {
    writeRun(3);
    const elsewhere = mkdtempSync(join(tmpdir(), 'mvvm-chain-link-'));
    symlinkSync(path, join(elsewhere, 'link.snap'));
    expectState(3, join(elsewhere, 'link.snap'));
    rmSync(elsewhere, { recursive: true });
  });

  test('that is replaced while it is opened gives the old state or the new one', () => {
    for (let round = 0; round < 3; round++) {
      const writer = writeRun(3, { mostDeltas: 2 });
      const list = nodeFileSystem.list;
      let done = false;
      // Between the base and its deltas: a new base takes its place.
      const listing = replaceMethod(nodeFileSystem, 'list', (folderName: string) => {
        const found = list(folderName);
        if (!done) {
          done = true;
          writer.write(stateAt(4));
        }
        return found;
      });
      try {
        expectState(4);
      } finally {
        listing.restore();
      }
    }
  });
});

/** Puts another function in a method's place for a while. */
function replaceMethod<T extends object, K extends keyof T>(target: T, key: K, value: T[K]): { restore: () => void } {
  const before = target[key];
  target[key] = value;
  return {
    restore: () => {
      target[key] = before;
    },
  };
}

/** The process ends at the n-th call to the operating system: nothing more happens, not even cleaning up. */
function endingFiles(n: number): { files: SnapshotFileSystem; ended: () => boolean } {
  let calls = 0;
  const files = new Proxy(quickFiles, {
    get:
      (target, name: keyof SnapshotFileSystem) =>
      (...args: unknown[]) => {
        calls += 1;
        if (calls > n) throw Object.assign(new Error('the process has ended'), { syscall: name, code: 'ENDED' });
        return Reflect.apply(target[name], target, args);
      },
  });
  return { files, ended: () => calls > n };
}

describe('whenever the process ends', () => {
  test('the chain is the state of the last checkpoint that was reported, or of the one being written', () => {
    let ends = 0;
    for (let n = 0; ; n++) {
      const { files, ended } = endingFiles(n);
      const writer = newWriter({ mostDeltas: 2, files });
      let reported = 0;
      // Base, two deltas, base, delta.
      while (reported < 5 && codeOf(() => writer.write(stateAt(reported + 1))) === 'nothing was thrown') reported += 1;
      if (!ended()) break;
      ends += 1;
      const found = existsSync(path) ? readSnapshotChain(path).snapshot.stablePoints : 0;
      expect([reported, reported + 1]).toContain(found);
      if (found > 0) expectState(found);
      // Another run in the same place cleans up and goes on.
      newWriter().write(stateAt(7));
      expectState(7);
      expect(readdirSync(folder).filter((name) => !name.endsWith('.mvvm-tmp'))).toEqual(['job.snap']);
      for (const name of readdirSync(folder)) unlinkSync(join(folder, name));
    }
    expect(ends).toBeGreaterThan(50);
  }, 120_000);

  test('a chain that is being folded is there, folded or not, and can be folded again', () => {
    let ends = 0;
    for (let n = 0; ; n++) {
      writeRun(4);
      const { files, ended } = endingFiles(n);
      const code = codeOf(() => compactSnapshotChain(path, path, {}, { files }));
      expectState(4);
      compactSnapshotChain(path, path, {}, { files: quickFiles });
      expectState(4);
      expect(names().filter((name) => !name.endsWith('.mvvm-tmp'))).toEqual(['job.snap']);
      for (const name of readdirSync(folder)) unlinkSync(join(folder, name));
      if (!ended()) {
        expect(code).toBe('nothing was thrown');
        break;
      }
      ends += 1;
    }
    expect(ends).toBeGreaterThan(5);
  }, 120_000);

  test('with each call failing once, the next checkpoint makes good', () => {
    for (let n = 0; ; n++) {
      let calls = 0;
      const files = new Proxy(quickFiles, {
        get:
          (target, name: keyof SnapshotFileSystem) =>
          (...args: unknown[]) => {
            calls += 1;
            if (calls === n + 1) throw Object.assign(new Error('ENOSPC'), { syscall: name, code: 'ENOSPC' });
            return Reflect.apply(target[name], target, args);
          },
      });
      const writer = newWriter({ mostDeltas: 2, files });
      for (let step = 1; step <= 5; step++) {
        const code = codeOf(() => writer.write(stateAt(step)));
        expect(['nothing was thrown', 'snapshot/io']).toContain(code);
        if (code === 'nothing was thrown') expectState(step);
      }
      // At most one attempt fails, so of two one works.
      if (codeOf(() => writer.write(stateAt(6))) !== 'nothing was thrown') writer.write(stateAt(6));
      expectState(6);
      expect(readdirSync(folder).filter((name) => name.endsWith('.mvvm-tmp'))).toEqual([]);
      removeSnapshotChain(path);
      expect(readdirSync(folder)).toEqual([]);
      if (calls <= n) break;
    }
  }, 120_000);
});

describe('a chain', () => {
  test('is folded in place, or elsewhere', () => {
    writeRun(4);
    const other = join(folder, 'new.snap');
    expect(compactSnapshotChain(path, other, {}, { files: quickFiles }).folded).toHaveLength(4);
    expectState(4, other);
    expect(deltaFiles()).toHaveLength(4);
    unlinkSync(other);
    compactSnapshotChain(path, path, {}, { files: quickFiles });
    expect(names()).toEqual(['job.snap']);
    expectState(4);
    expect(readSnapshotChain(path).snapshot.parent).toBeUndefined();
  });

  test('that is not sound is not folded: nothing changes', () => {
    writeRun(4);
    unlinkSync(join(folder, deltaFiles()[1] ?? ''));
    const fold = (): void => expect(codeOf(() => compactSnapshotChain(path))).toBe('snapshot/missing-link');
    expect(changesIn(folder, fold)).toEqual([]);
  });

  test('is removed with all its files, and nothing else', () => {
    writeRun(3);
    writeFileSync(join(folder, 'job.snap.txt'), '');
    writeFileSync(join(folder, 'job.snapshot'), '');
    removeSnapshotChain(path);
    expect(readdirSync(folder).sort()).toEqual(['job.snap.txt', 'job.snapshot']);
  });

  test('is removed with the temporaries of writers that were killed, not with those of others', () => {
    writeRun(3);
    const [delta = ''] = deltaFiles();
    const living = temporaryName('job.snap');
    for (const name of [temporaryName('job.snap', deadProcess), temporaryName(delta, deadProcess), living]) {
      writeFileSync(join(folder, name), 'partial');
    }
    removeSnapshotChain(path);
    expect(readdirSync(folder)).toEqual([living]);
  });
});
