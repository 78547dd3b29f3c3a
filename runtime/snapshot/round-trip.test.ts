import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { codeOf, collect, memoryWith, sampleSnapshot } from '../../fixtures/snapshots/samples.js';
import { aesCipher, ed25519Check, ed25519Signer, nodeCodecs, nodeHasher } from '../node/snapshot-file-services.js';
import {
  blobSource,
  compactSnapshots,
  type DecodeOptions,
  decodeSnapshot,
  decodeSnapshotAsync,
  decodeSnapshotChain,
  type EncodeOptions,
  encodeSnapshot,
  encodeSnapshotAsync,
  type Snapshot,
  type StoredSnapshot,
  webCodecs,
  webHasher,
  webVerify,
} from './index.js';

const memory = fc
  .tuple(
    fc.nat(3),
    fc.array(fc.tuple(fc.nat(65_000), fc.uint8Array({ minLength: 1, maxLength: 500 })), { maxLength: 8 }),
  )
  .map(([pages, writes]) => {
    const image = memoryWith(pages, {});
    if (pages > 0) for (const [address, bytes] of writes) image.bytes.set(bytes, address);
    return image;
  });
const uint = fc.nat(2 ** 31 - 1);
const snapshots: fc.Arbitrary<Snapshot> = fc
  .record({
    createdAt: fc
      .date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) })
      .map((date) => date.toISOString()),
    entry: fc.string({ unit: 'grapheme', maxLength: 20 }),
    following: fc.array(fc.string({ maxLength: 5 }), { maxLength: 2 }),
    stablePoints: fc.maxSafeNat(),
    point: uint,
    words: fc.uint32Array({ maxLength: 300 }),
    memories: fc.array(memory, { maxLength: 3 }),
    tables: fc.array(fc.int32Array({ min: -1, maxLength: 20 }), { maxLength: 3 }),
    wasi: fc
      .jsonValue({ maxDepth: 3, stringUnit: 'grapheme' })
      .filter((json) => !JSON.stringify(json).includes('__proto__')),
  })
  .map((parts) => sampleSnapshot(parts));

/** What a stored snapshot says about the program, as plain data that compares across realms. */
const stateOf = (snapshot: Snapshot): unknown => ({
  ...JSON.parse(
    JSON.stringify({
      ...snapshot,
      words: [],
      memories: [],
      tables: [],
      digest: undefined,
      parent: undefined,
      signedBy: undefined,
    }),
  ),
  words: [...snapshot.words],
  memories: snapshot.memories.map(({ pages, bytes }) => ({ pages, bytes: Buffer.from(bytes).toString('base64') })),
  tables: snapshot.tables.map((table) => [...table]),
});

const write = (snapshot: Snapshot, options: EncodeOptions = {}): Uint8Array =>
  collect(encodeSnapshot(snapshot, options)).bytes;

const key = randomBytes(32);
const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const forms: [string, EncodeOptions, DecodeOptions][] = [
  ['plain', {}, {}],
  ['with the hash of the host', { hasher: nodeHasher }, {}],
  ['gzip', { compression: 'gzip', codecs: nodeCodecs }, { codecs: nodeCodecs }],
  ['encrypted', { cipher: aesCipher(key) }, { cipher: aesCipher(key) }],
  [
    'gzip, encrypted, signed',
    { compression: 'gzip', codecs: nodeCodecs, cipher: aesCipher(key), signer: ed25519Signer(privateKey) },
    { codecs: nodeCodecs, cipher: aesCipher(key), signature: ed25519Check([publicKey]) },
  ],
];
if (nodeCodecs.zstd !== undefined) {
  forms.push(['zstd', { compression: 'zstd', codecs: nodeCodecs }, { codecs: nodeCodecs }]);
}

describe('a snapshot', () => {
  test.each(forms)('comes back as it was: %s', (_, writing, reading) => {
    fc.assert(
      fc.property(snapshots, (snapshot) => {
        const { bytes, result } = collect(encodeSnapshot(snapshot, writing));
        const back = decodeSnapshot(bytes, reading);
        expect(stateOf(back)).toEqual(stateOf(snapshot));
        expect(back.digest).toBe(result.digest);
        expect(result.bytes).toBe(bytes.length);
        expect(back.parent).toBeUndefined();
      }),
      { numRuns: 60 },
    );
  });

  test('is the same bytes every time', () => {
    expect(write(sampleSnapshot(), { hasher: nodeHasher })).toEqual(write(sampleSnapshot()));
  });

  test('holds the pages with content and no others', () => {
    const { bytes, result } = collect(
      encodeSnapshot(sampleSnapshot({ memories: [memoryWith(256, { 70000: [1], 9e6: [2, 3] })] })),
    );
    expect(result.pages).toBe(2);
    expect(bytes.length).toBeLessThan(2 * 4096 + 2000);
  });

  test('larger than its chunks is written in chunks of at most 512 KiB and restored into the memory it is given', () => {
    const image = { pages: 40, bytes: new Uint8Array(randomBytes(40 * 65_536)) };
    image.bytes.fill(0, 500_000, 1_000_000);
    for (const options of [{}, { hasher: nodeHasher }]) {
      const chunks = encodeSnapshot(sampleSnapshot({ memories: [image] }), options);
      expect(Math.max(...Array.from(chunks, (chunk) => chunk.length))).toBe(2 ** 19);
    }

    const target = new Uint8Array(image.bytes.length).fill(0xaa);
    const stored = write(sampleSnapshot({ memories: [image] }), { hasher: nodeHasher });
    const back = decodeSnapshot(stored, { hasher: nodeHasher, memory: () => target });
    expect(back.memories[0]?.bytes).toBe(target);
    expect(Buffer.compare(target, image.bytes)).toBe(0);
  });

  test('of a memory that lies askew in its buffer is the same', () => {
    const image = memoryWith(1, { 5: [1, 2, 3], 9000: [4] });
    const askew = new Uint8Array(65_536 + 1).subarray(1);
    askew.set(image.bytes);
    expect(write(sampleSnapshot({ memories: [{ pages: 1, bytes: askew }] }))).toEqual(
      write(sampleSnapshot({ memories: [image] })),
    );
  });
});

describe('the asynchronous functions', () => {
  const writeAsync = async (snapshot: Snapshot, options: EncodeOptions): Promise<Uint8Array> => {
    const parts: Uint8Array[] = [];
    for await (const chunk of encodeSnapshotAsync(snapshot, options)) parts.push(chunk.slice());
    return new Uint8Array(Buffer.concat(parts));
  };

  test('write and read with what browsers have, and agree with the synchronous ones', async () => {
    const snapshot = sampleSnapshot({ memories: [memoryWith(2, { 4: [1, 2], 100000: [3] })] });
    const options = {
      compression: 'gzip',
      codecs: webCodecs,
      hasher: webHasher,
      signer: ed25519Signer(privateKey),
    } as const;
    const bytes = await writeAsync(snapshot, options);
    expect(stateOf(decodeSnapshot(bytes, { codecs: nodeCodecs }))).toEqual(stateOf(snapshot));

    const trusted = ed25519Check([publicKey]).trusted;
    const back = await decodeSnapshotAsync(blobSource(new Blob([Uint8Array.from(bytes)])), {
      codecs: webCodecs,
      hasher: webHasher,
      signature: { trusted, verify: webVerify },
    });
    expect(stateOf(back)).toEqual(stateOf(snapshot));
    expect(back.signedBy).toBe(Buffer.from(trusted[0] ?? []).toString('hex'));
  });

  test('are needed for asynchronous hooks', () => {
    expect(codeOf(() => write(sampleSnapshot(), { hasher: webHasher }))).toBe('snapshot/needs-async');
    const bytes = write(sampleSnapshot());
    expect(codeOf(() => decodeSnapshot(bytes, { hasher: webHasher }))).toBe('snapshot/needs-async');
  });
});

describe('a delta', () => {
  /** Base and deltas of a run whose memory is written to, and may grow, between the checkpoints. */
  const writeChain = (steps: readonly [number, Uint8Array, boolean][], options: EncodeOptions) => {
    let image = memoryWith(1, { 100: [1, 2, 3], 20000: [9] });
    const links = [collect(encodeSnapshot(sampleSnapshot({ memories: [image] }), options))];
    for (const [address, bytes, grow] of steps) {
      const next = memoryWith(image.pages + (grow ? 1 : 0), {});
      next.bytes.set(image.bytes);
      next.bytes.set(bytes, address + (grow ? 65_536 * image.pages : 0));
      const before = image.bytes;
      const pageOf = (bytes: Uint8Array, page: number): Uint8Array => bytes.subarray(page * 4096, (page + 1) * 4096);
      const changed = Array.from({ length: next.bytes.length / 4096 }, (_, page) => ({ first: page, count: 1 })).filter(
        ({ first }) => Buffer.compare(pageOf(before, first), pageOf(next.bytes, first)) !== 0,
      );
      image = next;
      const delta = { parent: links.at(-1)?.result.digest ?? '', changed: [changed] };
      links.push(
        collect(
          encodeSnapshot(sampleSnapshot({ memories: [image], stablePoints: links.length }), { ...options, delta }),
        ),
      );
    }
    return {
      links: links.map((link) => link.bytes),
      last: sampleSnapshot({ memories: [image], stablePoints: steps.length }),
    };
  };
  const steps = fc.array(
    fc.tuple(
      fc.nat(60_000),
      fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 5000 }), fc.constant(new Uint8Array(5000))),
      fc.boolean(),
    ),
    { minLength: 1, maxLength: 5 },
  );

  test('on top of what it continues is the whole state, and so is the chain folded into a base', () => {
    fc.assert(
      fc.property(steps, fc.boolean(), (run, zip) => {
        const options: EncodeOptions = zip ? { compression: 'gzip', codecs: nodeCodecs } : {};
        const { links, last } = writeChain(run, { ...options, hasher: nodeHasher });
        const reading = { codecs: nodeCodecs, hasher: nodeHasher };
        expect(stateOf(decodeSnapshotChain(links, reading))).toEqual(stateOf(last));

        const target = new WebAssembly.Memory({ initial: 0 });
        const grown = (_: number, pages: number): Uint8Array => {
          target.grow(pages - target.buffer.byteLength / 65_536);
          return new Uint8Array(target.buffer);
        };
        expect(stateOf(decodeSnapshotChain(links, { ...reading, memory: grown }))).toEqual(stateOf(last));

        const folded = decodeSnapshot(collect(compactSnapshots(links, reading)).bytes);
        expect(stateOf(folded)).toEqual(stateOf(last));
        expect(folded.parent).toBeUndefined();
      }),
      { numRuns: 40 },
    );
  });

  const { links } = writeChain(
    [
      [5000, Uint8Array.of(7), false],
      [9000, Uint8Array.of(8), false],
    ],
    {},
  );
  const [base = new Uint8Array(), first = new Uint8Array(), second = new Uint8Array()] = links;

  test('holds the changed pages only', () => {
    expect(first.length).toBeLessThan(base.length);
  });

  test.each([
    ['alone', [first], 'snapshot/needs-parent'],
    ['with a link left out', [base, second], 'snapshot/wrong-parent'],
    ['in another order', [base, second, first], 'snapshot/wrong-parent'],
    ['twice', [base, first, first], 'snapshot/wrong-parent'],
    ['behind which a base stands', [base, base], 'snapshot/wrong-parent'],
    ['damaged', [base, first.map((byte, at) => (at === 300 ? byte ^ 1 : byte))], 'snapshot/digest'],
  ])('is refused %s', (_, chain, code) => {
    expect(codeOf(() => decodeSnapshotChain(chain))).toBe(code);
  });

  test('of another module, or with a memory that shrank, is refused', () => {
    const parent = decodeSnapshot(base).digest;
    const changed = [[{ first: 0, count: 16 }]];
    const other = sampleSnapshot({ module: { ...sampleSnapshot().module, hash: 'c'.repeat(64) } });
    expect(codeOf(() => decodeSnapshotChain([base, write(other, { delta: { parent, changed } })]))).toBe(
      'snapshot/wrong-parent',
    );
    const smaller = write(sampleSnapshot({ memories: [memoryWith(0, {})] }), { delta: { parent, changed } });
    expect(codeOf(() => decodeSnapshotChain([base, smaller]))).toBe('snapshot/wrong-parent');
  });
});

describe('signature and encryption', () => {
  const signed = write(sampleSnapshot(), { signer: ed25519Signer(privateKey) });
  const sealed = write(sampleSnapshot(), { cipher: aesCipher(key) });
  const stranger = generateKeyPairSync('ed25519');
  const check = ed25519Check([publicKey]);

  test('a required signature must be there, of a trusted key, and right', () => {
    expect(decodeSnapshot(signed, { signature: check }).signedBy).toMatch(/^[0-9a-f]{64}$/);
    expect(decodeSnapshot(signed).signedBy).toBeUndefined();
    expect(codeOf(() => decodeSnapshot(write(sampleSnapshot()), { signature: check }))).toBe('snapshot/unsigned');
    const foreign = write(sampleSnapshot(), { signer: ed25519Signer(stranger.privateKey) });
    expect(codeOf(() => decodeSnapshot(foreign, { signature: check }))).toBe('snapshot/untrusted-signer');
    const forger = { publicKey: ed25519Signer(privateKey).publicKey, sign: ed25519Signer(stranger.privateKey).sign };
    expect(codeOf(() => decodeSnapshot(write(sampleSnapshot(), { signer: forger }), { signature: check }))).toBe(
      'snapshot/bad-signature',
    );
  });

  test('signing does not change the digest', () => {
    expect(decodeSnapshot(signed).digest).toBe(decodeSnapshot(write(sampleSnapshot())).digest);
  });

  test('what is encrypted needs the key, and nothing of it can be read without', () => {
    expect(Buffer.from(sealed).includes('_start')).toBe(false);
    expect(codeOf(() => decodeSnapshot(sealed))).toBe('snapshot/encrypted');
    expect(codeOf(() => decodeSnapshot(sealed, { cipher: aesCipher(randomBytes(32)) }))).toBe('snapshot/encrypted');
    expect(codeOf(() => decodeSnapshot(signed, { cipher: aesCipher(key) }))).toBe('snapshot/encrypted');
  });
});

describe('the writer', () => {
  const refuse = (changes: Partial<Snapshot>): unknown => codeOf(() => write(sampleSnapshot(changes)));

  test('refuses what no reader would accept', () => {
    expect(refuse({ memories: [{ pages: 2, bytes: new Uint8Array(65_536) }] })).toBe('snapshot/unwritable');
    expect(refuse({ createdAt: 'yesterday' })).toBe('snapshot/unwritable');
    expect(refuse({ point: -1 })).toBe('snapshot/unwritable');
    expect(refuse({ wasi: () => 0 })).toBe('snapshot/unwritable');
    expect(codeOf(() => write(sampleSnapshot(), { compression: 'gzip' }))).toBe('snapshot/compression');
  });

  test('refuses a memory that changes its size under its hands', () => {
    const guest = new WebAssembly.Memory({ initial: 40 });
    new Uint8Array(guest.buffer).fill(1);
    const chunks = encodeSnapshot(sampleSnapshot({ memories: [{ pages: 40, bytes: new Uint8Array(guest.buffer) }] }));
    chunks.next();
    guest.grow(1);
    expect(codeOf(() => collect(chunks))).toBe('snapshot/unwritable');
  });

  test('a stored snapshot can be written again', () => {
    const stored: StoredSnapshot = decodeSnapshot(write(sampleSnapshot()));
    expect(write(stored)).toEqual(write(sampleSnapshot()));
  });
});
