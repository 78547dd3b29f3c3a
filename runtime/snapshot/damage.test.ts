/** Rows 1 to 5, 7 and 9 to 11, 33 of the catalogue of bad input: bytes that are not what they claim to be. */

import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import {
  contentOf,
  type LooseSection,
  type LooseSnapshot,
  plainSection,
  putTogether,
  seal,
  takeApart,
} from '../../fixtures/snapshots/dissect.js';
import { codeOf, collect, memoryWith, sampleSnapshot } from '../../fixtures/snapshots/samples.js';
import { ed25519Check, nodeCodecs, nodeHasher } from '../node/snapshot-file-services.js';
import { type DecodeOptions, decodeSnapshot, decodeSnapshotChain, encodeSnapshot, isSnapshotError } from './index.js';

const options: DecodeOptions = { hasher: nodeHasher, codecs: nodeCodecs };
const small = collect(encodeSnapshot(sampleSnapshot())).bytes;
const withPage = collect(encodeSnapshot(sampleSnapshot({ memories: [memoryWith(1, { 4096: [1, 2, 3] })] }))).bytes;

const read = (bytes: Uint8Array, more: DecodeOptions = {}): unknown =>
  codeOf(() => decodeSnapshot(bytes, { ...options, ...more }));

/** The code for a small snapshot that was changed and given a right digest again. */
const changed = (change: (parts: LooseSnapshot) => void, more: DecodeOptions = {}, from = withPage): unknown => {
  const parts = takeApart(from);
  change(parts);
  return read(putTogether(parts), more);
};

const sectionAt = (parts: LooseSnapshot, id: string): { index: number; section: LooseSection } => {
  const index = parts.sections.findIndex((section) => section.id === id);
  const section = parts.sections[index];
  if (section === undefined) throw new Error(`the sample has no section ${id}`);
  return { index, section };
};

/** Replaces the content of a section, under a right size. */
const rewrite =
  (id: string, edit: (content: Uint8Array) => Uint8Array) =>
  (parts: LooseSnapshot): void => {
    const { index, section } = sectionAt(parts, id);
    parts.sections[index] = plainSection(id, edit(contentOf(section)));
  };
const rewriteHeader = (edit: (text: string) => string): ((parts: LooseSnapshot) => void) =>
  rewrite('HEAD', (content) => new Uint8Array(Buffer.from(edit(Buffer.from(content).toString()))));
const rewriteRuns = (numbers: readonly number[]): ((parts: LooseSnapshot) => void) =>
  rewrite('MEMO', (content) => {
    const table = new Uint8Array(Uint32Array.from(numbers).buffer);
    return new Uint8Array(Buffer.concat([table, content.subarray(16)]));
  });

test('taking a snapshot apart and putting it together gives the same bytes', () => {
  expect(Buffer.compare(putTogether(takeApart(withPage)), withPage)).toBe(0);
  expect(read(withPage)).toBe('nothing was thrown');
});

describe('what is no snapshot', () => {
  test.each([
    ['empty', ''],
    ['a wasm module', '\0asm\x01\0\0\0'],
    ['an ELF program', '\x7fELF\x02\x01\x01'],
    ['JSON', '{"words":[]}'],
    ['long and of zeros', '\0'.repeat(100_000)],
  ])('is told from one: %s', (_, text) => {
    expect(read(new Uint8Array(Buffer.from(text, 'latin1')))).toBe('snapshot/bad-magic');
  });

  test('an empty file is called empty', () => {
    expect(() => decodeSnapshot(new Uint8Array())).toThrow('is empty');
  });
});

describe('damage', () => {
  test('a snapshot cut off at any length is refused', () => {
    for (let length = 0; length < withPage.length; length++) {
      const code = read(withPage.subarray(0, length));
      const expected = length === 0 ? 'snapshot/bad-magic' : length < 272 ? 'snapshot/truncated' : 'snapshot/digest';
      if (code !== expected) throw new Error(`cut off at ${length}: ${String(code)} instead of ${expected}`);
    }
  });

  test('a flip of any single bit is refused as damage', () => {
    const outcomes = new Map<unknown, number>();
    for (let bit = 0; bit < small.length * 8; bit++) {
      const flipped = small.slice();
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const code = read(flipped);
      outcomes.set(code, (outcomes.get(code) ?? 0) + 1);
    }
    // The first 8 bytes say that it is a snapshot, the next 4 in which version.
    expect(Object.fromEntries(outcomes)).toEqual({
      'snapshot/bad-magic': 64,
      'snapshot/version': 32,
      'snapshot/digest': small.length * 8 - 96,
    });
  });

  test('a source that ends before its size is refused', () => {
    let left = 700;
    const source = {
      size: small.length,
      read(into: Uint8Array): number {
        const count = Math.min(left, into.length);
        left -= count;
        into.set(small.subarray(0, count));
        return count;
      },
    };
    expect(codeOf(() => decodeSnapshot(source, options))).toBe('snapshot/digest');
  });

  test('bytes behind the end are refused, be they a snapshot or not', () => {
    for (const more of [Uint8Array.of(0), small, new Uint8Array(5000)]) {
      expect(read(new Uint8Array(Buffer.concat([small, more])))).toBe('snapshot/trailing-bytes');
    }
  });

  test('bytes between the end section and the trailer are refused', () => {
    expect(read(seal(Buffer.concat([small.subarray(0, -160), Buffer.alloc(3)])))).toBe('snapshot/trailing-bytes');
  });

  test('damage is reported as damage even where something else is wrong too', () => {
    const code = read(
      small.map((byte, at) => (at === small.length - 200 ? byte ^ 4 : byte)),
      {
        limits: { memoryPages: 0 },
        signature: ed25519Check([]),
      },
    );
    expect(code).toBe('snapshot/digest');
  });
});

describe('another format version', () => {
  test.each([0, 2, 0xffffffff])('%d is refused with both versions', (version) => {
    const parts = takeApart(small);
    new DataView(parts.preamble.buffer).setUint32(8, version, true);
    expect(read(putTogether(parts))).toBe('snapshot/version');
    expect(() => decodeSnapshot(putTogether(parts))).toThrow(
      `is written in snapshot format version ${version}, this mvvm reads version 1`,
    );
  });
});

describe('sections, under a right digest', () => {
  const ids = ['HEAD', 'WASI', 'WORD', 'TABL', 'MEMO', 'END '];

  test.each(ids)('%s left out is refused', (id) => {
    const code = changed((parts) => parts.sections.splice(sectionAt(parts, id).index, 1));
    expect(code).toBe(id === 'END ' ? 'snapshot/truncated' : 'snapshot/section');
  });

  test.each(ids)('%s twice is refused', (id) => {
    const code = changed((parts) => {
      const { index, section } = sectionAt(parts, id);
      parts.sections.splice(index, 0, section);
    });
    expect(code).toBe(id === 'END ' ? 'snapshot/trailing-bytes' : 'snapshot/section');
  });

  test('in any other order are refused', () => {
    for (let first = 0; first < ids.length; first++) {
      for (let second = first + 1; second < ids.length; second++) {
        const code = changed((parts) => {
          const [a, b] = [parts.sections[first], parts.sections[second]];
          if (a === undefined || b === undefined) throw new Error('the sample has six sections');
          parts.sections[first] = b;
          parts.sections[second] = a;
        });
        expect(code).toBe('snapshot/section');
      }
    }
  });

  test('unknown ones are refused unless they are marked skippable', () => {
    const insert =
      (flags: number) =>
      (parts: LooseSnapshot): void => {
        const note = { ...plainSection('NOTE', new Uint8Array(1_500_000).fill(7)), flags };
        for (let at = parts.sections.length - 1; at >= 0; at--) parts.sections.splice(at, 0, note);
      };
    expect(changed(insert(0))).toBe('snapshot/section');
    expect(changed(insert(2))).toBe('snapshot/section');
    expect(changed(insert(1))).toBe('nothing was thrown');
  });

  test('known ones cannot be marked skippable', () => {
    expect(changed((parts) => Object.assign(sectionAt(parts, 'WORD').section, { flags: 1 }))).toBe('snapshot/section');
  });

  test.each([0n, 1n, 2n ** 31n, 2n ** 32n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n])('of size %d are refused', (size) => {
    for (const id of ids.slice(0, 5)) {
      const code = changed((parts) => Object.assign(sectionAt(parts, id).section, { size }));
      expect(['snapshot/section', 'snapshot/header', 'snapshot/json', 'snapshot/malformed']).toContain(code);
    }
  });

  test('a skippable section that claims more than the file holds is refused at once', () => {
    const code = changed((parts) => parts.sections.unshift({ id: 'NOTE', flags: 1, size: 2n ** 62n, blocks: [] }));
    expect(code).toBe('snapshot/section');
  });
});

describe('blocks, under a right digest', () => {
  const block =
    (changes: object) =>
    (parts: LooseSnapshot): void => {
      const [first] = sectionAt(parts, 'WORD').section.blocks;
      Object.assign(first ?? {}, changes);
    };

  test('of an unknown method are refused', () => {
    expect(changed(block({ method: 3 }))).toBe('snapshot/malformed');
  });

  test.each([0, 1, 2 ** 20 + 1025, 2 ** 32 - 1])('that claim %d stored bytes are refused', (stored) => {
    expect(changed(block({ stored }))).toBe('snapshot/malformed');
  });

  test('that are no gzip, or whose method this host lacks, are refused', () => {
    expect(changed(block({ method: 1 }))).toBe('snapshot/compression');
    expect(changed(block({ method: 1 }), { codecs: {} })).toBe('snapshot/compression');
    expect(changed(block({ method: 2 }), { codecs: {} })).toBe('snapshot/compression');
  });

  test('that unpack to more or less than they should are refused, a bomb without being unpacked', () => {
    const zipped = (content: Uint8Array): unknown => {
      const bytes = new Uint8Array(gzipSync(content));
      return changed((parts) => {
        const { section } = sectionAt(parts, 'WASI');
        section.blocks = [{ method: 1, stored: bytes.length, bytes }];
        section.size = 1000n;
      });
    };
    expect(zipped(new Uint8Array(999))).toBe('snapshot/compression');
    expect(zipped(new Uint8Array(1001))).toBe('snapshot/compression');
    expect(zipped(new Uint8Array(900_000))).toBe('snapshot/compression');
    expect(zipped(new Uint8Array(Buffer.from(`"${'x'.repeat(998)}"`)))).toBe('nothing was thrown');
  });
});

describe('the preamble, under a right digest', () => {
  test('with unknown flags, or a salt without encryption, is refused', () => {
    expect(changed(({ preamble }) => new DataView(preamble.buffer).setUint32(12, 2, true))).toBe('snapshot/malformed');
    expect(changed(({ preamble }) => preamble.fill(1, 16))).toBe('snapshot/malformed');
    expect(changed(({ preamble }) => new DataView(preamble.buffer).setUint32(12, 1, true))).toBe('snapshot/encrypted');
  });
});

describe('the header, under a right digest', () => {
  test.each<[string, (text: string) => string]>([
    ['no JSON', (text) => text.slice(1)],
    ['a key twice', (text) => text.replace('{', '{"point":3,')],
    ['__proto__', (text) => text.replace('{', '{"__proto__":{"point":3},')],
    ['an unknown key', (text) => text.replace('{', '{"more":1,')],
    ['a key missing', (text) => text.replace('"point":3,', '')],
    ['deep nesting', (text) => text.replace('"point":3', `"point":${'['.repeat(5000)}${']'.repeat(5000)}`)],
    ['a negative count', (text) => text.replace('"words":', '"words":-')],
    ['a fraction', (text) => text.replace('"point":3', '"point":3.5')],
    ['a number beyond 2^53', (text) => text.replace('"point":3', '"point":1e300')],
    ['a hash that is none', (text) => text.replace('aaaa', 'AAAA')],
    ['an unknown policy', (text) => text.replace('loop-checkpoint', 'no-checkpoint')],
    ['a date that is none', (text) => text.replace('2024-05-06', '2024-13-41')],
    ['something behind it', (text) => `${text}{}`],
  ])('with %s is refused', (_, edit) => {
    expect(changed(rewriteHeader(edit))).toBe('snapshot/header');
  });

  test('is quoted in messages without what could act on a terminal, and not at any length', () => {
    const parts = takeApart(withPage);
    const key = `\\u001b[2J\\u009b1m\\n${'x'.repeat(5000)}`;
    rewriteHeader((text) => text.replace('{', `{"${key}":1,`))(parts);
    const message = (() => {
      try {
        decodeSnapshot(putTogether(parts), options);
      } catch (error) {
        return isSnapshotError(error) ? error.message : '';
      }
      return '';
    })();
    expect(message).toContain('\ufffd[2J\ufffd1m\ufffdxxx');
    expect(message.length).toBeLessThan(1100);
  });

  test('that is not UTF-8 is refused', () => {
    const spoil = (content: Uint8Array): Uint8Array => content.map((byte) => (byte === 0x5f ? 0xff : byte));
    expect(changed(rewrite('HEAD', spoil))).toBe('snapshot/header');
  });

  test('larger than its cap is refused', () => {
    expect(changed(rewriteHeader((text) => text + ' '.repeat(2 ** 20)))).toBe('snapshot/section');
  });

  test('that does not fit the sections is refused', () => {
    expect(changed(rewriteHeader((text) => text.replace(/"words":\d+/, '"words":4')))).toBe('snapshot/section');
    expect(changed(rewriteHeader((text) => text.replace('"tables":[3]', '"tables":[4]')))).toBe('snapshot/section');
    expect(changed(rewriteHeader((text) => text.replace('"tables":[3]', '"tables":[1,1,1]')))).toBe(
      'nothing was thrown',
    );
    expect(changed(rewriteHeader((text) => text.replace('"memories":[1]', '"memories":[1,1]')))).toBe(
      'snapshot/section',
    );
    expect(changed(rewriteHeader((text) => text.replace('"memories":[1]', '"memories":[]')))).toBe('snapshot/section');
  });

  test('that claims to be a delta is refused alone', () => {
    expect(changed(rewriteHeader((text) => text.replace('{', `{"parent":"${'d'.repeat(64)}",`)))).toBe(
      'snapshot/needs-parent',
    );
  });
});

describe('limits', () => {
  test.each<[string, RegExp, string]>([
    ['words', /"words":\d+/, '"words":1000000000'],
    ['memory', /"memories":\[1\]/, '"memories":[65537]'],
    ['memories', /"memories":\[1\]/, `"memories":[${Array(101).fill(1).join()}]`],
    ['table elements', /"tables":\[3\]/, '"tables":[1000000000]'],
    ['tables', /"tables":\[3\]/, `"tables":[${Array(101).fill(0).join()}]`],
  ])('%s beyond what an engine can have are refused by default', (_, pattern, claim) => {
    expect(changed(rewriteHeader((text) => text.replace(pattern, claim)))).toBe('snapshot/limit');
  });

  test('that the reader gives are kept, and kept exactly', () => {
    expect(read(withPage, { limits: { memoryPages: 0 } })).toBe('snapshot/limit');
    expect(read(withPage, { limits: { memoryPages: 1, words: 27, tables: 1, tableElements: 3 } })).toBe(
      'nothing was thrown',
    );
    expect(read(withPage, { limits: { words: 26 } })).toBe('snapshot/limit');
    expect(read(withPage, { limits: { wasiBytes: 10 } })).toBe('snapshot/section');
    expect(read(withPage, { limits: { bytes: withPage.length - 1 } })).toBe('snapshot/limit');
  });

  test('are checked before the target memory is asked for', () => {
    let asked = 0;
    const memory = (): Uint8Array => {
      asked += 1;
      return new Uint8Array();
    };
    expect(read(withPage, { limits: { memoryPages: 0 }, memory })).toBe('snapshot/limit');
    expect(asked).toBe(0);
    expect(read(withPage, { memory })).toBe('snapshot/target');
    expect(asked).toBe(1);
  });

  test('the reader can refuse by the header, before the target memory is asked for', () => {
    const accept = (): never => {
      throw Object.assign(new Error('not this one'), { code: 'mine' });
    };
    const memory = (): never => {
      throw new Error('too late');
    };
    expect(read(withPage, { accept, memory })).toBe('mine');
  });
});

describe('pages of memory, under a right digest', () => {
  // A memory of one wasm page has 16 pages of 4 KiB; the sample stores page 1 alone.
  test.each([
    ['beyond the memory', [1, 0, 16, 1]],
    ['that wrap around 2^32', [1, 0, 0xffffffff, 2]],
    ['in an empty run', [1, 0, 1, 0]],
    ['in another number than there are', [1, 0, 1, 2]],
    ['in none of the runs', [0, 0]],
    ['in more runs than there is room for', [0xffffffff, 0xffffffff, 1, 1]],
    ['in runs that overlap', [2, 0, 1, 1, 1, 1]],
    ['in runs that touch', [2, 0, 1, 1, 2, 1]],
    ['in runs that descend', [2, 0, 4, 1, 1, 1]],
    ['listed as empty in a base', [1, 1, 1, 1, 3, 1]],
  ])('%s are refused', (_, runs) => {
    expect(['snapshot/malformed', 'snapshot/section']).toContain(changed(rewriteRuns(runs)));
  });

  test('listed as both empty and not, in a delta, are refused', () => {
    const base = decodeSnapshot(withPage);
    const delta = { parent: base.digest, changed: [[{ first: 0, count: 16 }]] };
    const parts = takeApart(collect(encodeSnapshot(base, { delta })).bytes);
    const chain = (runs: readonly number[]): unknown => {
      rewriteRuns(runs)(parts);
      return codeOf(() => decodeSnapshotChain([withPage, putTogether(parts)]));
    };
    // The writer lists page 1 as data, pages 0 and 2 to 15 as empty.
    expect(chain([1, 1, 1, 1, 0, 3])).toBe('snapshot/malformed');
  });
});

test('a WASI state that is not strict JSON is refused', () => {
  for (const text of ['', '{"a":1,"a":2}', '{"__proto__":1}', '['.repeat(100), 'nul']) {
    expect(changed(rewrite('WASI', () => new Uint8Array(Buffer.from(text))))).toBe('snapshot/json');
  }
});
