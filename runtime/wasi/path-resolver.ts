/**
 * Walks a guest's path, one component at a time, from an open directory. This is the sandbox:
 *
 * - A name is only ever looked up in a directory that is already open, and never followed if it is a symbolic link.
 * - `..` goes back to the directory that the walk came from, which is still open; the file system is never asked for it.
 *   So a directory that is moved away in mid-walk leads nowhere else.
 * - Symbolic links are read and their components walked like the guest's own: one that leads above the directory where
 *   the walk began, or is absolute, ends it with ENOTCAPABLE.
 *
 * The result is a directory and a name in it, for an operation that does not follow links either. If the name was
 * swapped for a link in between, that operation fails.
 */

import { ErrnoError, errno, fail } from './errno.js';
import type { Directory } from './filesystem.js';

/** Links on the way of one path, as on Linux. */
const maxLinks = 40;

export interface Resolved {
  /** The directory that holds the name; closed when the walk's callback has returned. */
  readonly directory: Directory;
  /** Components from where the walk began to that directory. */
  readonly path: readonly string[];
  /** The last component, or `.` when the path names `directory` itself. */
  readonly name: string;
  /** The path ended in a slash or a dot: it can only mean a directory. */
  readonly mustBeDirectory: boolean;
}

interface Step {
  readonly directory: Directory;
  readonly name: string;
}

/**
 * Hands what the path leads to to `use` and returns its result.
 *
 * @param follow whether a symbolic link as the last component is followed, too
 * @throws {ErrnoError} ENOENT, ENOTDIR, ELOOP, ENOTCAPABLE and what the file system says
 */
export function resolvePath<T>(start: Directory, path: string, follow: boolean, use: (found: Resolved) => T): T {
  if (path === '') fail(errno.noent);
  if (path.startsWith('/')) fail(errno.notcapable);
  const steps: Step[] = [];
  try {
    return use(walk(start, path, follow, steps));
  } finally {
    for (const step of steps) step.directory.close();
  }
}

function walk(start: Directory, path: string, follow: boolean, steps: Step[]): Resolved {
  const ahead = componentsOf(path);
  let mustBeDirectory = endsAsDirectory(path);
  let links = 0;

  const here = (): Directory => steps.at(-1)?.directory ?? start;
  const found = (name: string): Resolved => ({
    directory: here(),
    path: steps.map((step) => step.name),
    name,
    mustBeDirectory,
  });
  const followLink = (target: string, isLast: boolean): void => {
    links += 1;
    if (links > maxLinks) fail(errno.loop);
    if (target.startsWith('/')) fail(errno.notcapable);
    if (target === '') fail(errno.noent);
    ahead.unshift(...componentsOf(target));
    if (isLast && endsAsDirectory(target)) mustBeDirectory = true;
  };

  for (let name = ahead.shift(); name !== undefined; name = ahead.shift()) {
    const isLast = ahead.length === 0;
    if (name === '..') {
      const left = steps.pop() ?? fail(errno.notcapable);
      left.directory.close();
    } else if (!isLast) {
      const next = openDirectoryOrLink(here(), name);
      if (typeof next === 'string') followLink(next, false);
      else steps.push({ directory: next, name });
    } else {
      const target = follow || mustBeDirectory ? linkTarget(here(), name) : undefined;
      if (target === undefined) return found(name);
      followLink(target, true);
    }
  }
  mustBeDirectory = true;
  return found('.');
}

/** Repeated slashes and single dots mean nothing, except at the end. */
function componentsOf(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}

function endsAsDirectory(path: string): boolean {
  return /(^|\/)\.{0,2}$/.test(path);
}

function openDirectoryOrLink(directory: Directory, name: string): Directory | string {
  try {
    return directory.openDirectory(name);
  } catch (error) {
    if (!(error instanceof ErrnoError) || (error.errno !== errno.notdir && error.errno !== errno.loop)) throw error;
    return linkTarget(directory, name) ?? fail(errno.notdir);
  }
}

/** Where the symbolic link of this name leads, undefined when it is none or does not exist. */
function linkTarget(directory: Directory, name: string): string | undefined {
  try {
    return directory.readlink(name);
  } catch (error) {
    if (error instanceof ErrnoError && (error.errno === errno.inval || error.errno === errno.noent)) return undefined;
    throw error;
  }
}
