/** Ed25519 signatures over a snapshot's digest. The functions that sign and verify are the host's. */

import { encodeUtf8 } from '../abi/index.js';
import { concatenate, sameBytes, toHex } from './digest.js';
import { badSignature, SnapshotError, unsigned, untrustedSigner } from './errors.js';
import { SIGNATURE_TAG } from './format.js';
import { type MaybePromise, type Task, wait } from './wait.js';

export const PUBLIC_KEY_BYTES = 32;
export const SIGNATURE_BYTES = 64;

export interface Signer {
  /** Ed25519 public key, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** The Ed25519 signature of the message, 64 bytes. */
  sign(message: Uint8Array): MaybePromise<Uint8Array>;
}

/** Given to a reader, it makes a signature by one of the trusted keys a condition of reading. */
export interface SignatureCheck {
  /** Ed25519 public keys of 32 bytes. */
  readonly trusted: readonly Uint8Array[];
  verify(message: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): MaybePromise<boolean>;
}

/** The two fields of the trailer; zeros in a snapshot that is not signed. */
export interface SignatureFields {
  readonly publicKey: Uint8Array;
  readonly signature: Uint8Array;
}

export function* signDigest(digest: Uint8Array, signer: Signer | undefined): Task<SignatureFields> {
  const fields = { publicKey: new Uint8Array(PUBLIC_KEY_BYTES), signature: new Uint8Array(SIGNATURE_BYTES) };
  if (signer === undefined) return fields;
  fields.publicKey.set(signer.publicKey);
  fields.signature.set(yield* wait(signer.sign(signedMessage(digest))));
  return fields;
}

/**
 * @returns the key that signed, in hexadecimal
 * @throws {SnapshotError} `snapshot/unsigned`, `snapshot/untrusted-signer`, `snapshot/bad-signature`
 */
export function* checkSignature(digest: Uint8Array, fields: SignatureFields, check: SignatureCheck): Task<string> {
  const { publicKey, signature } = fields;
  if (publicKey.every((byte) => byte === 0)) throw new SnapshotError(unsigned());
  const key = toHex(publicKey);
  if (!check.trusted.some((trusted) => sameBytes(trusted, publicKey))) throw new SnapshotError(untrustedSigner(key));
  if (!(yield* wait(check.verify(signedMessage(digest), signature, publicKey))))
    throw new SnapshotError(badSignature());
  return key;
}

/** Web Crypto's Ed25519, where the host has it. Asynchronous. */
export async function webVerify(message: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): Promise<boolean> {
  const key = await crypto.subtle.importKey('raw', Uint8Array.from(publicKey), 'Ed25519', false, ['verify']);
  return crypto.subtle.verify('Ed25519', key, Uint8Array.from(signature), Uint8Array.from(message));
}

function signedMessage(digest: Uint8Array): Uint8Array {
  return concatenate([encodeUtf8(SIGNATURE_TAG), digest]);
}
