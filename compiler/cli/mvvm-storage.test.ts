/** Snapshots that are compressed, signed and encrypted, by the command. */

import { generateKeyPairSync } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as zlib from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Ended, runCommand } from '../../fixtures/processes.js';
import { seal, takeApart } from '../../fixtures/snapshots/dissect.js';
import { compile } from '../index.js';
import { readStorage } from './mvvm/storage-options.js';

const folder = await mkdtemp(join(tmpdir(), 'mvvm-storage-'));
afterAll(() => rm(folder, { recursive: true }));

const path = (name: string): string => join(folder, name);
const mvvm = (...words: readonly string[]): Promise<Ended> => runCommand('mvvm', folder, words);

const target = ['-t', 'sha.mvvm.wasm'];
const checkpoint = (...words: readonly string[]): Promise<Ended> => mvvm('checkpoint', ...target, '-c', '40', ...words);
const restore = (...words: readonly string[]): Promise<Ended> => mvvm('restore', ...target, ...words);

/** The methods of all blocks. */
async function methodsIn(name: string): Promise<Set<number>> {
  const { sections } = takeApart(await readFile(path(name)));
  return new Set(sections.flatMap(({ blocks }) => blocks.map(({ method }) => method)));
}

function errorOf(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return error;
  }
}

const [plain, gzip, zstd] = [0, 1, 2];
let undisturbed = '';

beforeAll(async () => {
  const program = await readFile(join(process.cwd(), 'fixtures/programs/sha256.wasm'));
  await writeFile(path('sha.mvvm.wasm'), compile(program, { policies: ['loop-checkpoint'], optLevel: 1 }).wasm);
  for (const name of ['ours', 'other']) {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    await writeFile(path(`${name}.pem`), privateKey.export({ type: 'pkcs8', format: 'pem' }));
    await writeFile(path(`${name}.pub`), publicKey.export({ type: 'spki', format: 'pem' }));
  }
  await writeFile(path('secret.key'), `${'0f'.repeat(32)}\n`);
  await writeFile(path('wrong.key'), `${'f0'.repeat(32)}\n`);
  undisturbed = (await mvvm('run', 'sha.mvvm.wasm')).stdout;
  expect(undisturbed.length).toBeGreaterThan(20);
});

describe('--compression', () => {
  test('gzip makes the file smaller, and it restores without being told', async () => {
    await checkpoint('--snapshot', 'none.snap');
    const { stdout } = await checkpoint('--snapshot', 'gzip.snap', '--compression', 'gzip');
    expect(await methodsIn('none.snap')).toEqual(new Set([plain]));
    expect(await methodsIn('gzip.snap')).toContain(gzip);
    expect((await readFile(path('gzip.snap'))).length).toBeLessThan((await readFile(path('none.snap'))).length / 2);
    expect(stdout + (await restore('--snapshot', 'gzip.snap')).stdout).toBe(undisturbed);
  });

  test('zstd does where Node has it, and is refused before the program runs where not', async () => {
    const { status, stdout, stderr } = await checkpoint('--snapshot', 'zstd.snap', '--compression', 'zstd');
    if ('zstdCompressSync' in zlib) {
      expect(await methodsIn('zstd.snap')).toContain(zstd);
      expect(stdout + (await restore('--snapshot', 'zstd.snap')).stdout).toBe(undisturbed);
      return;
    }
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/^mvvm: error: this Node \(20\S+\) has no zstd compression - use Node 22.15 or later, or /);
    expect(existsSync(path('zstd.snap'))).toBe(false);
  });

  test('that nobody knows is refused', async () => {
    expect(await checkpoint('--compression', 'lzma')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('--compression must be none, gzip or zstd'),
    });
    expect(await mvvm('snapshot', 'compact', 'x.snap', '--compression', 'lzma')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('--compression must be'),
    });
  });
});

describe('--sign-key and --verify-key', () => {
  beforeAll(async () => {
    await checkpoint('--snapshot', 'signed.snap', '--sign-key', 'ours.pem');
    await checkpoint('--snapshot', 'unsigned.snap');
    // Whoever takes the signature away makes the rest of the trailer right again: nothing in it is secret.
    await writeFile(path('resealed.snap'), seal((await readFile(path('signed.snap'))).subarray(0, -160)));
  });

  test('a snapshot signed by a trusted key restores; the key may be one of several', async () => {
    const words = ['--snapshot', 'signed.snap', '--verify-key', 'other.pub', '--verify-key', 'ours.pub'];
    const restored = await restore(...words);
    expect(restored).toMatchObject({ status: 0, stderr: '' });
    expect(undisturbed.endsWith(restored.stdout)).toBe(true);
  });

  test('is refused without a signature by every command that reads it, before the program goes on', async () => {
    const before = await readdir(folder);
    for (const ended of [
      await restore('--snapshot', 'unsigned.snap', '--verify-key', 'ours.pub'),
      await mvvm('run', '--resume', 'unsigned.snap', 'sha.mvvm.wasm', '--verify-key', 'ours.pub'),
      await mvvm('inspect', 'unsigned.snap', '--verify-key', 'ours.pub'),
      await mvvm('snapshot', 'compact', 'unsigned.snap', '-o', 'folded.snap', '--verify-key', 'ours.pub'),
    ]) {
      expect(ended).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining('is not signed') });
    }
    expect(await readdir(folder)).toEqual(before);
  });

  test.each([
    ['resealed.snap', 'ours.pub', 'is not signed'],
    ['signed.snap', 'other.pub', 'not among the trusted keys'],
  ])('%s is refused under %s', async (name, key, why) => {
    const ended = await restore('--snapshot', name, '--verify-key', key);
    expect(ended).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining(why) });
  });

  test('inspect tells who signed, once that was verified', async () => {
    const { stdout } = await mvvm('inspect', '--json', 'signed.snap', '--verify-key', 'ours.pub');
    expect(JSON.parse(stdout)).toMatchObject({ signedBy: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(JSON.parse((await mvvm('inspect', '--json', 'signed.snap')).stdout)).not.toHaveProperty('signedBy');
  });

  test('a restored run and a folded chain are signed only by those who say so', async () => {
    const words = ['--snapshot', 'signed.snap', '--next-snapshot', 'next.snap', '-c', '5'];
    const verify = ['inspect', 'next.snap', '--verify-key', 'ours.pub'];
    await restore(...words);
    expect(await mvvm(...verify)).toMatchObject({ status: 1 });
    await restore(...words, '--sign-key', 'ours.pem');
    expect(await mvvm(...verify)).toMatchObject({ status: 0 });
    await mvvm('snapshot', 'compact', 'unsigned.snap', '-o', 'next.snap', '--sign-key', 'ours.pem');
    expect(await mvvm(...verify)).toMatchObject({ status: 0 });
  });
});

describe('--encryption-key', () => {
  beforeAll(async () => {
    await checkpoint('--snapshot', 'secret.snap', '--encryption-key', 'secret.key', '--compression', 'gzip');
  });

  test('what is written can be read with the key, and shows nothing without', async () => {
    const restored = await restore('--snapshot', 'secret.snap', '--encryption-key', 'secret.key');
    expect(restored).toMatchObject({ status: 0, stderr: '' });
    expect(undisturbed.endsWith(restored.stdout)).toBe(true);
    const bytes = await readFile(path('secret.snap'), 'latin1');
    expect(bytes).not.toContain('_start');
    expect(bytes).not.toContain('thresholdBits');
  });

  test.each([
    [[], 'is encrypted'],
    [['--encryption-key', 'wrong.key'], 'does not decrypt'],
  ])('it is refused with %j', async (words, why) => {
    const ended = await restore('--snapshot', 'secret.snap', ...words);
    expect(ended).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining(why) });
  });

  test('a snapshot that is not encrypted is refused where a key is given', async () => {
    const ended = await restore('--snapshot', 'unsigned.snap', '--encryption-key', 'secret.key');
    expect(ended).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining('is not encrypted') });
  });
});

describe('key files', () => {
  beforeAll(async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    await writeFile(path('p256.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
    await writeFile(path('short.key'), '0f0f\n');
  });

  test.each([
    ['sign-key', 'nowhere.pem', /^cannot read \S+nowhere.pem: no such file/],
    ['sign-key', 'p256.pem', /p256.pem holds no Ed25519 private key in PEM form$/],
    ['sign-key', 'ours.pub', /ours.pub holds no Ed25519 private key/],
    ['verify-key', 'secret.key', /secret.key holds no Ed25519 public key/],
    ['encryption-key', 'short.key', /short.key is not 64 hexadecimal digits$/],
    ['encryption-key', 'ours.pem', /ours.pem is not 64 hexadecimal digits$/],
  ])('--%s %s is refused by name, with a hint', (option, file, why) => {
    const given = option === 'verify-key' ? [path(file)] : path(file);
    const error = errorOf(() => readStorage({ [option]: given }));
    expect(error).toMatchObject({ name: 'FileError', message: expect.stringMatching(why) });
    expect(error).toHaveProperty('hint', expect.stringMatching(/./));
  });

  test('are looked at before the program runs', async () => {
    const ended = await checkpoint('--snapshot', 'never.snap', '--sign-key', 'p256.pem');
    expect(ended).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining('openssl genpkey') });
    expect(existsSync(path('never.snap'))).toBe(false);
  });

  test('mean nothing to a plain module', async () => {
    const ended = await mvvm('run', '--plain', 'x.wasm', '--sign-key', 'ours.pem');
    expect(ended).toMatchObject({ status: 2, stderr: expect.stringContaining('--sign-key means nothing') });
  });
});

test('a run that goes on stores base and deltas alike, and they restore as a chain', async () => {
  const stored = ['--compression', 'gzip', '--sign-key', 'ours.pem', '--encryption-key', 'secret.key'];
  const words = ['--snapshot', 'chain.snap', '--checkpoint-every', '20ms', ...stored];
  await writeFile(path('sleeper.mvvm.wasm'), compile(await readFile('fixtures/programs/sleeper.wasm')).wasm);
  await mvvm('run', ...words, 'sleeper.mvvm.wasm', '--', '20', '50');
  const files = (await readdir(folder)).filter((name) => name.startsWith('chain.snap'));
  expect(files.length).toBeGreaterThan(1);
  for (const name of files) {
    const { preamble } = takeApart(await readFile(path(name)));
    expect([name, preamble[12]]).toEqual([name, 1]);
  }
  const keys = ['--verify-key', 'ours.pub', '--encryption-key', 'secret.key'];
  const { deltas, signedBy } = JSON.parse((await mvvm('inspect', '--json', 'chain.snap', ...keys)).stdout);
  expect(deltas).toHaveLength(files.length - 1);
  expect(signedBy).toMatch(/^[0-9a-f]{64}$/);
});
