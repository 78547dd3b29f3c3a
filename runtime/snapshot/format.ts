/**
 * Constants of the stored form. docs/snapshot-format.md draws the layout:
 *
 *   preamble (32)   magic 8 | version u32 | flags u32 | salt 16
 *   sections        HEAD WASI WORD TABL MEMO* END, each: id 4 | flags u32 | size u64 | blocks
 *   trailer (160)   digest 32 | public key 32 | signature 64 | check 32
 *
 * All numbers are unsigned little-endian.
 */

/** `\x89MVVM\r\n\x1a`: not text, and changed by any transfer that takes it for text. */
export const MAGIC: Uint8Array = Uint8Array.of(0x89, 0x4d, 0x56, 0x56, 0x4d, 0x0d, 0x0a, 0x1a);
export const FORMAT_VERSION = 1;

export const PREAMBLE_BYTES = 32;
export const SALT_BYTES = 16;
export const TRAILER_BYTES = 160;
export const SECTION_HEADER_BYTES = 16;
export const BLOCK_HEADER_BYTES = 8;

/** Content of a section is cut into blocks of this many bytes (the last one may be shorter). */
export const BLOCK_BYTES: number = 1 << 20;
/** The file is hashed in pieces of this many bytes. */
export const PIECE_BYTES: number = 1 << 20;
/** It is read and written in chunks of at most this many. */
export const CHUNK_BYTES: number = PIECE_BYTES / 2;
/** What a cipher may add to a block. */
export const CIPHER_OVERHEAD = 1024;
/** Granularity of memory images, of deltas and of the search for changes. */
export const PAGE_BYTES = 4096;

/** Bits of the preamble's flags. */
export const FLAG_ENCRYPTED = 1;
/** Bit of a section's flags: readers that do not know the section pass over it. */
export const FLAG_SKIPPABLE = 1;

/** Section ids in the order in which sections must stand; there is one `MEMO` per memory. */
export const sectionIds = ['HEAD', 'WASI', 'WORD', 'TABL', 'MEMO', 'END '] as const;
export type SectionId = (typeof sectionIds)[number];

/** How a block is stored; the position is the method's code. */
export const blockMethods = ['none', 'gzip', 'zstd'] as const;
export type Compression = (typeof blockMethods)[number];

/** The header is metadata: more than this is no honest one. */
export const HEADER_LIMIT: number = 1 << 20;
/** Nesting of arrays and objects in header and WASI state. */
export const JSON_DEPTH = 32;
/** Values in either, members of objects and elements of arrays included: each costs far more than its text. */
export const JSON_VALUES: number = 2 ** 22;

/** Domain separation: a digest or signature of ours can be taken for nothing else. */
export const DIGEST_TAG = 'mvvm snapshot digest v1\n';
export const SIGNATURE_TAG = 'mvvm snapshot signature v1\n';
