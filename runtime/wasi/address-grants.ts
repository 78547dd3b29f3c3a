/**
 * Which addresses a guest may use: to bind to, to connect to, to send to. Nothing is allowed that is not granted. An
 * IPv4 address that is wrapped in an IPv6 one is judged as what it is.
 */

import { parseIp, type SocketAddress, unmapped } from './addresses.js';

export type AddressGrant =
  | {
      readonly kind: 'range';
      /** 4 or 16 bytes, of which the first `bits` bits count. */
      readonly prefix: readonly number[];
      readonly bits: number;
      /** Null: every port. */
      readonly port: number | null;
    }
  | { readonly kind: 'name'; readonly name: string; readonly port: number | null };

/**
 * Reads `127.0.0.1`, `127.0.0.1:80`, `10.0.0.0/8`, `10.0.0.0/8:80`, `::1`, `[::1]:80`, `fe80::/10`, `[fe80::/10]:80`,
 * `example.com` or `example.com:80`.
 * @returns undefined for anything else
 */
export function parseAddressGrant(text: string): AddressGrant | undefined {
  const { host, port } = splitPort(text);
  if (port === undefined) return undefined;
  const [address = '', bits, ...more] = host.split('/');
  if (more.length > 0) return undefined;
  const bytes = parseIp(address);
  if (bytes !== undefined) return rangeOf(bytes, bits, port);
  const isName = bits === undefined && address.length <= 253 && /^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$/i.test(address);
  // Digits and dots alone are a mistyped address, not a name.
  return isName && !/^[\d.]+$/.test(address) ? { kind: 'name', name: address.toLowerCase(), port } : undefined;
}

/** @returns port undefined when there is one that is none */
function splitPort(text: string): { readonly host: string; readonly port: number | null | undefined } {
  const match = /^\[([^\]]*)\](?::(.*))?$/.exec(text) ?? /^([^:]*)(?::([^:]*))?$/.exec(text);
  // More than one colon and no brackets: an IPv6 address without a port.
  if (match === null) return { host: text, port: null };
  const [, host = '', port] = match;
  if (port === undefined) return { host, port: null };
  const number = /^[1-9]\d{0,4}$/.test(port) ? Number(port) : Number.NaN;
  return { host, port: number < 65_536 ? number : undefined };
}

function rangeOf(bytes: readonly number[], bits: string | undefined, port: number | null): AddressGrant | undefined {
  const size = bytes.length * 8;
  if (bits !== undefined && !(/^(0|[1-9]\d{0,2})$/.test(bits) && Number(bits) <= size)) return undefined;
  const count = bits === undefined ? size : Number(bits);
  const prefix = unmapped(bytes);
  const wrapped = size - prefix.length * 8;
  return count < wrapped
    ? { kind: 'range', prefix: bytes, bits: count, port }
    : { kind: 'range', prefix, bits: count - wrapped, port };
}

/** The grants of one guest, and the names among them looked up when they are first needed. */
export class GrantedAddresses {
  readonly #grants: readonly AddressGrant[];
  readonly #lookUp: (name: string) => readonly string[];

  /** @param lookUp the addresses of a name; the same each time, none when it has none */
  constructor(grants: readonly AddressGrant[], lookUp: (name: string) => readonly string[]) {
    this.#grants = grants;
    this.#lookUp = lookUp;
  }

  allow({ ip, port }: SocketAddress): boolean {
    const bytes = unmapped(parseIp(ip) ?? []);
    if (bytes.length === 0) return false;
    return this.#grants.some((grant) => {
      if (grant.port !== null && grant.port !== port) return false;
      if (grant.kind === 'range') return isWithin(bytes, grant.prefix, grant.bits);
      return this.#lookUp(grant.name).some((address) => isWithin(bytes, unmapped(parseIp(address) ?? []), 128));
    });
  }

  /** The addresses of a granted name, undefined for a name that is not. */
  addressesOf(name: string): readonly string[] | undefined {
    const wanted = name.toLowerCase();
    const granted = this.#grants.some((grant) => grant.kind === 'name' && grant.name === wanted);
    return granted ? this.#lookUp(wanted) : undefined;
  }
}

/** @param bits of the prefix; more than it has means all */
function isWithin(bytes: readonly number[], prefix: readonly number[], bits: number): boolean {
  if (bytes.length !== prefix.length) return false;
  return prefix.every((byte, index) => {
    const compared = Math.min(8, Math.max(0, bits - index * 8));
    const mask = (0xff << (8 - compared)) & 0xff;
    return (((bytes[index] ?? 0) ^ byte) & mask) === 0;
  });
}
