/** Rows 1, 25, 26, 30 and 31 of the catalogue of bad input and faults: files. */

import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { changesIn } from '../../fixtures/folder-tree.js';
import { deadProcess } from '../../fixtures/processes.js';
import { codeOf, memoryWith, sampleSnapshot } from '../../fixtures/snapshots/samples.js';
import { compactSnapshotFiles, readSnapshotFile, readSnapshotFiles, writeSnapshotFile } from './snapshot-file.js';
import { nodeFileSystem, type SnapshotFileSystem } from './snapshot-file-system.js';
import { temporaryName } from './snapshot-file-temporary.js';

let folder = '';
let path = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mvvm-snapshot-'));
  path = join(folder, 'job.snap');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const snapshotNumber = (stablePoints: number) =>
  sampleSnapshot({
    stablePoints,
    memories: [memoryWith(40, { 0: [stablePoints], 100000: Array(2_000_000).fill(stablePoints) })],
  });
const whichIsThere = (): number | 'nothing' => (existsSync(path) ? readSnapshotFile(path).stablePoints : 'nothing');
/** By this code, and nothing in the folder is touched. */
function expectRefusedUntouched(code: string, attempt: () => unknown): void {
  expect(changesIn(folder, () => expect(codeOf(attempt)).toBe(code))).toEqual([]);
}
const posix = process.platform === 'win32' ? test.skip : test;

describe('a snapshot file', () => {
  test('is written and read back, under the digest that the writer names', () => {
    const { digest, bytes } = writeSnapshotFile(path, snapshotNumber(1));
    expect(readSnapshotFile(path)).toMatchObject({ digest, stablePoints: 1 });
    expect(statSync(path).size).toBe(bytes);
    expect(readdirSync(folder)).toEqual(['job.snap']);
  });

  posix('is for its owner alone, whatever the umask', () => {
    const script = `
      process.umask(Number(process.argv[1]));
      const { writeSnapshotFile } = await import(process.argv[2]);
      const { sampleSnapshot } = await import(process.argv[3]);
      writeSnapshotFile(process.argv[4], sampleSnapshot());`;
    const modules = ['dist/runtime/node/snapshot-file.js', 'dist/fixtures/snapshots/samples.js'].map((file) =>
      join(process.cwd(), file),
    );
    for (const umask of [0, 0o777]) {
      execFileSync(process.execPath, ['--input-type=module', '-e', script, String(umask), ...modules, path]);
      expect(statSync(path).mode & 0o777).toBe(0o600);
    }
  });

  posix('replaces a link, never what it points to', () => {
    const precious = join(folder, 'precious');
    writeFileSync(precious, 'precious');
    symlinkSync(precious, path);
    writeSnapshotFile(path, snapshotNumber(2));
    expect(readFileSync(precious, 'utf8')).toBe('precious');
    expect(lstatSync(path).isFile()).toBe(true);
    expect(whichIsThere()).toBe(2);
  });

  test('never replaces a directory', () => {
    mkdirSync(path);
    expectRefusedUntouched('snapshot/not-a-file', () => writeSnapshotFile(path, snapshotNumber(1)));
  });

  posix('never replaces a FIFO', () => {
    execFileSync('mkfifo', [path]);
    expectRefusedUntouched('snapshot/not-a-file', () => writeSnapshotFile(path, snapshotNumber(1)));
  });

  test('cannot be written where there is no folder, and the error says where and why', () => {
    const nowhere = join(folder, 'nowhere', 'job.snap');
    expect(() => writeSnapshotFile(nowhere, snapshotNumber(1))).toThrow(`${nowhere}: cannot be written: ENOENT`);
  });

  const unprivileged = process.platform === 'win32' || process.getuid?.() === 0 ? test.skip : test;
  unprivileged('cannot be written in a folder that is read-only', () => {
    chmodSync(folder, 0o500);
    expect(codeOf(() => writeSnapshotFile(path, snapshotNumber(1)))).toBe('snapshot/io');
    chmodSync(folder, 0o700);
  });

  test('that two write at once is the last one, whole', () => {
    const first = writeWhile(() => writeSnapshotFile(path, snapshotNumber(2)));
    expect(first).toBe(1);
    expect(whichIsThere()).toBe(1);
    expect(readdirSync(folder)).toEqual(['job.snap']);
  });

  /** Writes snapshot 1, doing something else in the middle. */
  const writeWhile = (meanwhile: () => void): number => {
    let done = false;
    const write: SnapshotFileSystem['write'] = (fd, bytes) => {
      if (!done) {
        done = true;
        meanwhile();
      }
      return nodeFileSystem.write(fd, bytes);
    };
    const written = writeSnapshotFile(path, snapshotNumber(1), { files: { ...nodeFileSystem, write } });
    return readSnapshotFile(path).digest === written.digest ? 1 : 2;
  };

  test('survives short writes', () => {
    const write: SnapshotFileSystem['write'] = (fd, bytes) => nodeFileSystem.write(fd, bytes.subarray(0, 100_001));
    writeSnapshotFile(path, snapshotNumber(3), { files: { ...nodeFileSystem, write } });
    expect(whichIsThere()).toBe(3);
  });
});

/** Makes the n-th call (from 0) to the operating system go wrong. */
function faultyFiles(
  n: number,
  goWrong: (name: string, call: () => unknown) => unknown,
): { files: SnapshotFileSystem; reached: () => string | undefined } {
  let calls = 0;
  let reached: string | undefined;
  const files = new Proxy(nodeFileSystem, {
    get:
      (target, name: keyof SnapshotFileSystem) =>
      (...args: unknown[]) => {
        const call = (): unknown => Reflect.apply(target[name], target, args);
        calls += 1;
        if (calls - 1 !== n) return call();
        reached = name;
        return goWrong(name, call);
      },
  });
  return { files, reached: () => reached };
}

const refusal = (code: string): Error => Object.assign(new Error(`${code}: injected`), { code, syscall: 'injected' });

describe('when a call to the operating system fails', () => {
  test.each(['ENOSPC', 'EIO', 'EACCES'])(
    'with %s, at any step, the old or the new file is there and nothing else',
    (code) => {
      const steps: string[] = [];
      for (let n = 0; ; n++) {
        writeSnapshotFile(path, snapshotNumber(1));
        const { files, reached } = faultyFiles(n, () => {
          throw refusal(code);
        });
        const outcome = codeOf(() => writeSnapshotFile(path, snapshotNumber(2), { files }));
        const step = reached();
        if (step === undefined) break;
        steps.push(step);
        // Cleaning up after others is a courtesy; every other failure is reported.
        expect([step, outcome]).toEqual([step, step === 'list' ? 'nothing was thrown' : 'snapshot/io']);
        expect([step, whichIsThere()]).toEqual([step, step === 'list' || step === 'syncDirectory' ? 2 : 1]);
        expect(readdirSync(folder)).toEqual(['job.snap']);
      }
      expect([...new Set(steps)]).toEqual([
        'kindOf',
        'list',
        'createExclusively',
        'makePrivate',
        'write',
        'sync',
        'close',
        'rename',
        'syncDirectory',
      ]);
      writeSnapshotFile(path, snapshotNumber(3));
      expect(whichIsThere()).toBe(3);
    },
  );

  test('after having written half of a chunk, the old file is there', () => {
    writeSnapshotFile(path, snapshotNumber(1));
    let writes = 0;
    const write: SnapshotFileSystem['write'] = (fd, bytes) => {
      writes += 1;
      if (writes === 3) throw refusal('ENOSPC');
      return nodeFileSystem.write(fd, bytes.subarray(0, bytes.length / 2));
    };
    expect(codeOf(() => writeSnapshotFile(path, snapshotNumber(2), { files: { ...nodeFileSystem, write } }))).toBe(
      'snapshot/io',
    );
    expect(whichIsThere()).toBe(1);
    expect(readdirSync(folder)).toEqual(['job.snap']);
  });
});

describe('when the process is killed', () => {
  const script = `
    const [, step, snapshotFile, fileSystem, samples, path] = process.argv;
    const { writeSnapshotFile } = await import(snapshotFile);
    const { nodeFileSystem } = await import(fileSystem);
    const { sampleSnapshot, memoryWith } = await import(samples);
    let calls = 0;
    const files = new Proxy(nodeFileSystem, {
      get: (target, name) => (...args) => {
        const now = calls++ === Number(step);
        if (now && name === 'write') args[1] = args[1].subarray(0, args[1].length / 2);
        const result = target[name](...args);
        if (now) process.kill(process.pid, 'SIGKILL');
        return result;
      },
    });
    const memories = [memoryWith(40, { 0: [2], 100_000: Array(2_000_000).fill(2) })];
    writeSnapshotFile(path, sampleSnapshot({ stablePoints: 2, memories }), { files });`;
  const modules = [
    'runtime/node/snapshot-file.js',
    'runtime/node/snapshot-file-system.js',
    'fixtures/snapshots/samples.js',
  ].map((file) => join(process.cwd(), 'dist', file));

  /** Kills a writer right after its n-th call to the operating system, or in the middle if that call writes. */
  const killAfter = (step: number): boolean => {
    try {
      const args = ['--input-type=module', '-e', script, String(step), ...modules, path];
      execFileSync(process.execPath, args, { stdio: 'pipe' });
      return false;
    } catch (error) {
      expect(error).toMatchObject({ signal: 'SIGKILL' });
      return true;
    }
  };

  posix('after any step, the old or the new file is there, whole, and the next attempt cleans up', () => {
    const found: (number | 'nothing')[] = [];
    for (let step = 0; ; step++) {
      writeSnapshotFile(path, snapshotNumber(1));
      expect(readdirSync(folder)).toEqual(['job.snap']);
      if (!killAfter(step)) break;
      found.push(whichIsThere());
    }
    // The old file up to the rename, the new one after it and after the folder was synced.
    expect(found.slice(-2)).toEqual([2, 2]);
    expect(found.slice(0, -2)).toEqual(Array(found.length - 2).fill(1));
    expect(found.length).toBeGreaterThan(10);
  });
});

describe('temporary files', () => {
  const leave = (name: string): string => {
    const file = join(folder, name);
    writeFileSync(file, 'partial');
    return file;
  };
  const ours = temporaryName('job.snap');

  test('of dead processes are removed, of living ones and of other hosts and targets are not', () => {
    const dead = leave(temporaryName('job.snap', deadProcess));
    const living = leave(temporaryName('job.snap', process.ppid));
    const writing = leave(ours);
    const elsewhere = leave(temporaryName('job.snap', deadProcess).replace(/\.[0-9a-f]{8}-/, '.00000000-'));
    const another = leave(temporaryName('other.snap', deadProcess));
    const foreign = leave('.job.snap.mine.mvvm-tmp');
    writeSnapshotFile(path, snapshotNumber(1));
    expect([dead, living, writing, elsewhere, another, foreign].map((file) => existsSync(file))).toEqual([
      false,
      true,
      true,
      true,
      true,
      true,
    ]);
  });

  test('of an earlier process with our number are removed', () => {
    const old = leave(ours);
    utimesSync(old, new Date(1e12), new Date(1e12));
    writeSnapshotFile(path, snapshotNumber(1));
    expect(existsSync(old)).toBe(false);
  });
});

describe('what is no file', () => {
  test('is not read: a directory', () => {
    expectRefusedUntouched('snapshot/not-a-file', () => readSnapshotFile(folder));
  });

  posix('is not read: a FIFO, without waiting for it', () => {
    execFileSync('mkfifo', [path]);
    expectRefusedUntouched('snapshot/not-a-file', () => readSnapshotFile(path));
  });

  posix('is not read: a device', () => {
    expect(codeOf(() => readSnapshotFile('/dev/zero'))).toBe('snapshot/not-a-file');
  });

  test('is not read: nothing', () => {
    expect(() => readSnapshotFile(path)).toThrow(`${path}: cannot be read: ENOENT`);
  });
});

describe('a file that changes while it is read', () => {
  const readWhile = (meanwhile: () => void): unknown => {
    let done = false;
    return codeOf(() =>
      readSnapshotFile(path, {
        memory: (_, pages) => {
          if (!done) meanwhile();
          done = true;
          return new Uint8Array(pages * 65_536);
        },
      }),
    );
  };

  test('is refused when it became shorter', () => {
    writeSnapshotFile(path, snapshotNumber(1));
    expect(readWhile(() => truncateSync(path, 1_200_000))).toBe('snapshot/digest');
  });

  test('is refused when its bytes changed', () => {
    writeSnapshotFile(path, snapshotNumber(1));
    const changed = readFileSync(path).map((byte, at) => (at > 1_500_000 ? byte ^ 1 : byte));
    expect(readWhile(() => writeFileSync(path, changed))).toBe('snapshot/digest');
  });

  test('is read as it was when another took its place', () => {
    writeSnapshotFile(path, snapshotNumber(1));
    expect(readWhile(() => writeSnapshotFile(path, snapshotNumber(2)))).toBe('nothing was thrown');
  });
});

describe('a chain of files', () => {
  test('is read as one state, folded into one file, and an error names the file it is about', () => {
    const second = join(folder, 'job.snap.1');
    const base = writeSnapshotFile(path, snapshotNumber(1));
    const delta = { parent: base.digest, changed: [[{ first: 0, count: 1 }]] };
    const next = sampleSnapshot({
      stablePoints: 2,
      memories: [memoryWith(40, { 0: [2], 100000: Array(2_000_000).fill(1) })],
    });
    writeSnapshotFile(second, next, { delta });
    expect(statSync(second).size).toBeLessThan(10_000);

    const whole = readSnapshotFiles([path, second]);
    expect(
      Buffer.compare(whole.memories[0]?.bytes ?? new Uint8Array(), next.memories[0]?.bytes ?? new Uint8Array()),
    ).toBe(0);
    expect(() => readSnapshotFiles([path, path])).toThrow(`${path}: continues nothing`);

    compactSnapshotFiles([path, second], path);
    expect(readSnapshotFile(path)).toMatchObject({ stablePoints: 2, parent: undefined });
    writeFileSync(second, readFileSync(second).subarray(1));
    expect(() => readSnapshotFiles([path, second])).toThrow(`${second}: is not an mvvm snapshot`);
  });
});
