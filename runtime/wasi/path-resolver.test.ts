import { describe, expect, test } from '@jest/globals';
import { ErrnoError, errno } from './errno.js';
import { createMemoryDirectory, type Directory } from './index.js';
import { resolvePath } from './path-resolver.js';

function tree(): Directory {
  const root = createMemoryDirectory({ a: { b: { c: 'text' } }, file: 'text' });
  root.symlink('a/b', 'to-b');
  root.symlink('../..', 'up');
  root.symlink('/etc', 'absolute');
  root.symlink('loop', 'loop');
  root.symlink('file/', 'to-file-as-directory');
  const a = root.openDirectory('a');
  a.symlink('../file', 'to-file');
  a.symlink('../../outside', 'outside');
  return root;
}

/** Where a path leads, as one text, or the error number. */
function lead(path: string, follow = true): string | number {
  try {
    return resolvePath(tree(), path, follow, (found) => [...found.path, found.name].join('/'));
  } catch (error) {
    if (error instanceof ErrnoError) return error.errno;
    throw error;
  }
}

describe('a path', () => {
  test.each([
    ['file', 'file'],
    ['a/b/c', 'a/b/c'],
    ['a//b/./c', 'a/b/c'],
    ['a/../file', 'file'],
    ['a/b/../../a/b/c', 'a/b/c'],
    ['.', '.'],
    ['a/..', '.'],
    ['a/b/..', 'a/.'],
    ['not-there', 'not-there'],
    ['to-b/c', 'a/b/c'],
    ['to-b/../to-file', 'file'],
    ['a/to-file', 'file'],
  ])('%s leads to %s', (path, place) => expect(lead(path)).toBe(place));

  test('whose last link is not followed leads to the link', () => {
    expect(lead('to-b', false)).toBe('to-b');
    expect(lead('a/outside', false)).toBe('a/outside');
    expect(lead('to-b/', false)).toBe('a/b');
  });

  test.each([
    ['..', errno.notcapable],
    ['a/../..', errno.notcapable],
    ['/file', errno.notcapable],
    ['up', errno.notcapable],
    ['up/x', errno.notcapable],
    ['absolute', errno.notcapable],
    ['absolute/passwd', errno.notcapable],
    ['a/outside', errno.notcapable],
    ['loop', errno.loop],
    ['loop/x', errno.loop],
    ['', errno.noent],
    ['not-there/x', errno.noent],
    ['file/x', errno.notdir],
    ['file/..', errno.notdir],
  ])('%s is refused with error %d', (path, error) => expect(lead(path)).toBe(error));

  test('that ends like a directory says so', () => {
    const must = (path: string): boolean => resolvePath(tree(), path, true, (found) => found.mustBeDirectory);
    expect(['a/', 'a/.', '.', 'a/..', 'to-file-as-directory'].map(must)).toEqual([true, true, true, true, true]);
    expect(['a', 'file', 'a/to-file'].map(must)).toEqual([false, false, false]);
  });

  test('gives back every directory that it opened, also when it fails', () => {
    let open = 0;
    const counting = (directory: Directory): Directory => ({
      ...bound(directory),
      openDirectory(name) {
        const next = counting(directory.openDirectory(name));
        open += 1;
        return next;
      },
      close() {
        open -= 1;
      },
    });
    const root = counting(tree());
    resolvePath(root, 'a/b/../b/c', true, () => expect(open).toBe(2));
    expect(open).toBe(0);
    expect(() => resolvePath(root, 'a/b/c/d/e', true, () => undefined)).toThrow(ErrnoError);
    expect(open).toBe(0);
  });
});

/** The operations that a walk uses, as an object that can be spread. */
function bound(directory: Directory): Directory {
  return {
    kind: 'directory',
    stat: () => directory.stat(),
    open: (name, options) => directory.open(name, options),
    openDirectory: (name) => directory.openDirectory(name),
    statOf: (name) => directory.statOf(name),
    list: () => directory.list(),
    readlink: (name) => directory.readlink(name),
    setTimesOf: (name, times) => directory.setTimesOf(name, times),
    createDirectory: (name) => directory.createDirectory(name),
    removeDirectory: (name) => directory.removeDirectory(name),
    unlink: (name) => directory.unlink(name),
    symlink: (target, name) => directory.symlink(target, name),
    link: (name, to, newName) => directory.link(name, to, newName),
    rename: (name, to, newName) => directory.rename(name, to, newName),
    sync: () => directory.sync(),
    close: () => directory.close(),
  };
}
