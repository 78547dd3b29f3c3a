/** Finding again what a descriptor's place names. A place has no links in it; if one is there now, it is not followed. */

import type { Place } from './descriptors.js';
import type { Directory, File, FileStat, OpenOptions } from './filesystem.js';

/** What the place is called in messages. */
export function showPlace({ preopen, path }: Place): string {
  return JSON.stringify([preopen.replace(/\/$/, ''), ...path].join('/') || '/');
}

/** Throws ErrnoError when it is not there. */
export function statAtPlace(root: Directory, path: readonly string[]): FileStat {
  return inParent(root, path, (directory, name) => directory.statOf(name));
}

/** Throws ErrnoError when it cannot be opened. */
export function openAtPlace(root: Directory, path: readonly string[], options: OpenOptions): File | Directory {
  return inParent(root, path, (directory, name) => directory.open(name, options));
}

function inParent<T>(root: Directory, path: readonly string[], use: (directory: Directory, name: string) => T): T {
  const [name, ...rest] = path;
  if (name === undefined) return use(root, '.');
  if (rest.length === 0) return use(root, name);
  const next = root.openDirectory(name);
  try {
    return inParent(next, rest, use);
  } finally {
    next.close();
  }
}
