/** What Node brings to the snapshot format: SHA-256, gzip and zstd, Ed25519, AES. All synchronous. */

import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import * as zlib from 'node:zlib';
import type { BlockCipher, BlockPosition, Codec, Codecs, SignatureCheck, Signer } from '../snapshot/index.js';

export { nodeHasher } from './snapshot-file-hasher.js';

// Snapshots are written while a program stands still: the fastest level, which finds most of what there is to find.
const gzip: Codec = {
  compress: (block) => zlib.gzipSync(block, { level: 1, chunkSize: block.length + ROOM }),
  decompress: (block, size) => zlib.gunzipSync(block, unpackedTo(size)),
  release,
};

/** One array is enough for what comes out, and nothing is put together from many. */
const ROOM = 1024;
const unpackedTo = (size: number): ZlibOptions => ({ maxOutputLength: Math.max(size, 1), chunkSize: size + ROOM });

/** zstd came to Node with 22.15; the types that this is compiled against are older. */
function findZstd(): Codec | undefined {
  const compress: unknown = Reflect.get(zlib, 'zstdCompressSync');
  const decompress: unknown = Reflect.get(zlib, 'zstdDecompressSync');
  if (!isZlibFunction(compress) || !isZlibFunction(decompress)) return undefined;
  return {
    compress: (block) => compress(block, { chunkSize: block.length + ROOM }),
    decompress: (block, size) => decompress(block, unpackedTo(size)),
    release,
  };
}

/** A port that leads nowhere. */
const nowhere: MessagePort = closedPort();

function closedPort(): MessagePort {
  const { port1, port2 } = new MessageChannel();
  port1.close();
  port2.close();
  return port1;
}

/** Memory that is sent away is freed at once. The garbage collector leaves some 50 MiB of it lying before it begins. */
function release({ buffer }: Uint8Array): void {
  // Small arrays share a buffer of Node's, which cannot be sent.
  if (!(buffer instanceof ArrayBuffer) || buffer.byteLength <= SHARED_BYTES) return;
  try {
    nowhere.postMessage(undefined, [buffer]);
  } catch {
    // A host that does not let it go this way collects it as garbage.
  }
}

const SHARED_BYTES: number = Buffer.poolSize;

interface ZlibOptions {
  readonly maxOutputLength?: number;
  readonly chunkSize?: number;
}

type ZlibFunction = (bytes: Uint8Array, options?: ZlibOptions) => Uint8Array;

function isZlibFunction(value: unknown): value is ZlibFunction {
  return typeof value === 'function';
}

/** gzip everywhere, zstd where this Node has it. */
export const nodeCodecs: Codecs = { gzip, zstd: findZstd() };

/** @param privateKey an Ed25519 private key, as PEM or as a key object */
export function ed25519Signer(privateKey: string | KeyObject): Signer {
  const key = typeof privateKey === 'string' ? createPrivateKey(privateKey) : privateKey;
  return {
    publicKey: rawPublicKey(createPublicKey(key)),
    sign: (message) => sign(null, message, key),
  };
}

/** @param publicKeys Ed25519 public keys whose signatures are accepted, as PEM or as key objects */
export function ed25519Check(publicKeys: readonly (string | KeyObject)[]): SignatureCheck {
  const keys = publicKeys.map((key) => (typeof key === 'string' ? createPublicKey(key) : key));
  const trusted = keys.map(rawPublicKey);
  return {
    trusted,
    verify(message, signature, publicKey) {
      const key = keys[trusted.findIndex((known) => Buffer.compare(known, publicKey) === 0)];
      return key !== undefined && verify(null, message, key, signature);
    },
  };
}

function rawPublicKey(key: KeyObject): Uint8Array {
  const { kty, crv, x } = key.export({ format: 'jwk' });
  if (kty !== 'OKP' || crv !== 'Ed25519' || x === undefined) throw new TypeError('not an Ed25519 key');
  return Buffer.from(x, 'base64url');
}

const TAG_BYTES = 16;

/**
 * AES-256-GCM. Each block is encrypted under the key and a nonce made of the snapshot's random salt and the block's
 * position, so that blocks can neither be read nor changed, moved or taken from another snapshot.
 * @param key 32 secret bytes, made by a cryptographic random source
 */
export function aesCipher(key: Uint8Array): BlockCipher {
  return {
    seal(block, position) {
      const cipher = createCipheriv('aes-256-gcm', key, nonceOf(position));
      return Buffer.concat([cipher.update(block), cipher.final(), cipher.getAuthTag()]);
    },
    open(block, position) {
      const end = block.length - TAG_BYTES;
      if (end < 0) throw new RangeError('shorter than its tag');
      const cipher = createDecipheriv('aes-256-gcm', key, nonceOf(position), { authTagLength: TAG_BYTES });
      cipher.setAuthTag(block.subarray(end));
      return Buffer.concat([cipher.update(block.subarray(0, end)), cipher.final()]);
    },
  };
}

/** 12 bytes, different for every block of every snapshot. */
function nonceOf({ salt, index }: BlockPosition): Buffer {
  return createHash('sha256').update(salt).update(String(index)).digest().subarray(0, 12);
}
