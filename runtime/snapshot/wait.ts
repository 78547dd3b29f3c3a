/**
 * One implementation for both worlds. Reading and writing are generators that yield a promise where a hook (a hash, a
 * codec, a cipher, a source) answers with one; a driver either waits for it or refuses it. So the same code runs inside
 * a synchronous run loop and in a browser, whose compression and cryptography are asynchronous.
 */

import { needsAsync, SnapshotError } from './errors.js';

export type MaybePromise<T> = T | PromiseLike<T>;

/** A computation that yields what has to be waited for. */
export type Task<R> = Generator<PromiseLike<void>, R, void>;

/** A task that also puts out chunks of bytes. */
export type ChunkTask<R> = Generator<Uint8Array | PromiseLike<void>, R, void>;

/** Gives the value at once, or after having the driver wait for it. */
export function* wait<T>(value: MaybePromise<T>): Task<T> {
  if (!isPromiseLike(value)) return value;
  const arrived: T[] = [];
  yield value.then((result) => {
    arrived.push(result);
  });
  for (const result of arrived) return result;
  throw new SnapshotError(needsAsync());
}

/** Like {@link wait}, for something that may fail: at once or later, the error is `failure` of the one that came. */
export function* waitOr<T>(start: () => MaybePromise<T>, failure: (error: unknown) => unknown): Task<T> {
  try {
    return yield* wait(start());
  } catch (error) {
    throw failure(error);
  }
}

/** @throws {SnapshotError} `snapshot/needs-async` when the task has to wait for anything */
export function runSync<R>(task: Task<R>): R {
  const step = task.next();
  return step.done === true ? step.value : refuse(step.value);
}

export async function runAsync<R>(task: Task<R>): Promise<R> {
  let step = task.next();
  while (step.done !== true) step = await resume(task, step.value);
  return step.value;
}

/** @throws {SnapshotError} `snapshot/needs-async` when the task has to wait for anything */
export function* chunksSync<R>(task: ChunkTask<R>): Generator<Uint8Array, R, void> {
  let step = task.next();
  while (step.done !== true) {
    yield isPromiseLike(step.value) ? refuse(step.value) : step.value;
    step = task.next();
  }
  return step.value;
}

export async function* chunksAsync<R>(task: ChunkTask<R>): AsyncGenerator<Uint8Array, R, void> {
  let step = task.next();
  while (step.done !== true) {
    if (isPromiseLike(step.value)) {
      step = await resume(task, step.value);
      continue;
    }
    yield step.value;
    step = task.next();
  }
  return step.value;
}

async function resume<Y, R>(task: Generator<Y, R, void>, pending: PromiseLike<void>): Promise<IteratorResult<Y, R>> {
  try {
    await pending;
  } catch (error) {
    return task.throw(error);
  }
  return task.next();
}

/** The promise is nobody's any more: its failure must not surface as an unhandled one. */
function refuse(pending: PromiseLike<void>): never {
  pending.then(undefined, () => {});
  throw new SnapshotError(needsAsync());
}

function isPromiseLike<T>(value: unknown): value is PromiseLike<T> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
