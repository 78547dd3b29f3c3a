/**
 * Where the deltas of a chain are. The base is the file that was asked for; a delta stands beside it under a name that
 * says which base it belongs to and which one it is, from 1:
 *
 *     job.snap                        the base, digest 3f2a9c01d7e4...
 *     job.snap.3f2a9c01d7e4.1         continues the base
 *     job.snap.3f2a9c01d7e4.2         continues the first delta
 *
 * Because the name carries the base's digest, replacing the base (one rename) ends the chain in the same moment: what
 * is left of the old one belongs to nothing, whether anybody comes to remove it or not.
 */

import { missingLink, SnapshotError } from '../snapshot/index.js';

const DIGEST_DIGITS = 12;
const linkRest = /^\.([0-9a-f]{12})\.([1-9]\d{0,8})$/;

/** @param base name or path of the base, @param digest the base's */
export function linkName(base: string, digest: string, number: number): string {
  return `${base}.${digest.slice(0, DIGEST_DIGITS)}.${number}`;
}

/**
 * The deltas that continue a base, in order.
 * @param names all names in the base's folder
 * @throws {SnapshotError} `snapshot/missing-link`
 */
export function findLinks(names: readonly string[], base: string, digest: string): string[] {
  const numbers = numberLinks(names, base).filter((link) => linkName(base, digest, link.number) === link.name);
  const last = numbers.at(-1);
  for (let number = 1; number < (last?.number ?? 0); number++) {
    const wanted = linkName(base, digest, number);
    if (numbers[number - 1]?.name !== wanted) throw new SnapshotError(missingLink(wanted, last?.name ?? ''));
  }
  return numbers.map(({ name }) => name);
}

/**
 * Deltas that belong to no base that is there any more, or to none at all: the last one first, so that whoever stops in
 * between leaves a chain that is only shorter.
 * @param digest of the base whose deltas are to stay; undefined for none
 */
export function findLooseLinks(names: readonly string[], base: string, digest: string | undefined): string[] {
  return numberLinks(names, base)
    .filter(({ name, number }) => digest === undefined || name !== linkName(base, digest, number))
    .reverse()
    .map(({ name }) => name);
}

function numberLinks(names: readonly string[], base: string): { readonly name: string; readonly number: number }[] {
  return names
    .filter((name) => name.startsWith(base))
    .flatMap((name) => {
      const number = linkRest.exec(name.slice(base.length))?.[2];
      return number === undefined ? [] : [{ name, number: Number(number) }];
    })
    .sort((a, b) => a.number - b.number);
}
