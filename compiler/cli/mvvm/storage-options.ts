/** How snapshots are stored: the options' key files, read and looked at before anything runs. */

import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Compression } from '../../../runtime/index.js';
import { encodingOf, type SnapshotStorage } from '../../../runtime/node/index.js';
import { CommandLineError, FileError, fileProblem } from '../errors.js';

export const compressions: readonly Compression[] = ['none', 'gzip', 'zstd'];

/** The options as given; those that are not, are undefined. */
export interface StorageRequest {
  readonly compression?: Compression | undefined;
  /** Paths of key files. */
  readonly 'sign-key'?: string | undefined;
  readonly 'verify-key'?: readonly string[] | undefined;
  readonly 'encryption-key'?: string | undefined;
}

/** These options among others. */
export function storageRequest(values: StorageRequest): StorageRequest {
  return {
    compression: values.compression,
    'sign-key': values['sign-key'],
    'verify-key': values['verify-key'],
    'encryption-key': values['encryption-key'],
  };
}

/** What the options are for, in the help of every command that has them. */
export const storageDescriptions: Readonly<Record<keyof StorageRequest, string>> = {
  compression: 'How snapshots are compressed; zstd needs Node 22.15 or later',
  'sign-key': 'Sign snapshots with the Ed25519 private key in this PEM file',
  'verify-key':
    'Believe only snapshots that are signed with the Ed25519 public key in this PEM file; may be repeated, for several signers',
  'encryption-key':
    'Encrypt snapshots, and decrypt those that are read, with the key in this file: 64 hexadecimal digits',
};

/**
 * @throws {FileError} for a key file that cannot be read or holds no such key
 * @throws {CommandLineError} for a compression that this Node does not have
 */
export function readStorage(request: StorageRequest): SnapshotStorage {
  const { compression, 'sign-key': signing, 'verify-key': trusted, 'encryption-key': secret } = request;
  if (compression !== undefined) checkCompression(compression);
  return {
    ...(compression === undefined ? {} : { compression }),
    ...(signing === undefined ? {} : { signKey: readEd25519(signing, 'private') }),
    ...(trusted === undefined ? {} : { trustedKeys: trusted.map((path) => readEd25519(path, 'public')) }),
    ...(secret === undefined ? {} : { encryptionKey: readSecret(secret) }),
  };
}

function checkCompression(compression: Compression): void {
  try {
    encodingOf({ compression });
  } catch {
    throw new CommandLineError(
      `this Node (${process.versions.node}) has no ${compression} compression`,
      'use Node 22.15 or later, or --compression gzip',
    );
  }
}

const howToMake = {
  private: 'make one with `openssl genpkey -algorithm ed25519 -out sign.pem`',
  public: 'take it from the private key with `openssl pkey -in sign.pem -pubout -out verify.pem`',
  secret: 'make one with `openssl rand -hex 32 > secret.key`',
} as const;

function readEd25519(path: string, half: 'private' | 'public'): string {
  const pem = readKeyFile(path);
  const parse: (text: string) => KeyObject = half === 'private' ? createPrivateKey : createPublicKey;
  let type: string | undefined;
  try {
    type = parse(pem).asymmetricKeyType;
  } catch {
    // Node's reason is about ASN.1; ours says what was expected.
  }
  if (type !== 'ed25519') throw new FileError(`${path} holds no Ed25519 ${half} key in PEM form`, howToMake[half]);
  return pem;
}

function readSecret(path: string): Uint8Array {
  const text = readKeyFile(path).trim();
  if (!/^[0-9a-fA-F]{64}$/.test(text)) throw new FileError(`${path} is not 64 hexadecimal digits`, howToMake.secret);
  return new Uint8Array(Buffer.from(text, 'hex'));
}

function readKeyFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw fileProblem('read', path, error);
  }
}
