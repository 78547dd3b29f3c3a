/** How snapshots are stored and which ones are believed, as plain data: it goes to the guest's thread, which does both. */

import { type Compression, codecFor, type DecodeOptions, type EncodeOptions } from '../snapshot/index.js';
import { aesCipher, ed25519Check, ed25519Signer, nodeCodecs } from './snapshot-file-services.js';

export interface SnapshotStorage {
  /** Of what is written. Default `none`. zstd needs Node 22.15 or later. */
  readonly compression?: Compression;
  /** An Ed25519 private key as PEM: what is written is signed with it. */
  readonly signKey?: string;
  /** Ed25519 public keys as PEM: what is read must be signed with one of them. */
  readonly trustedKeys?: readonly string[];
  /** 32 secret bytes: what is written is encrypted with them (AES-256-GCM), and what is read must be. */
  readonly encryptionKey?: Uint8Array;
}

/** @throws {SnapshotError} `snapshot/compression` where this host does not have it; an error of Node's for a bad key */
export function encodingOf({
  compression = 'none',
  signKey,
  encryptionKey,
}: SnapshotStorage): Pick<EncodeOptions, 'compression' | 'codecs' | 'signer' | 'cipher'> {
  if (compression !== 'none') codecFor(compression, nodeCodecs);
  return {
    compression,
    codecs: nodeCodecs,
    ...(signKey === undefined ? {} : { signer: ed25519Signer(signKey) }),
    ...(encryptionKey === undefined ? {} : { cipher: aesCipher(encryptionKey) }),
  };
}

/** @throws an error of Node's for a bad key */
export function decodingOf({
  trustedKeys,
  encryptionKey,
}: SnapshotStorage): Pick<DecodeOptions, 'signature' | 'cipher'> {
  return {
    ...(trustedKeys === undefined ? {} : { signature: ed25519Check(trustedKeys) }),
    ...(encryptionKey === undefined ? {} : { cipher: aesCipher(encryptionKey) }),
  };
}
