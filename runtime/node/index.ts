/**
 * What needs Node: a guest in a worker thread, snapshots in files, directories and standard streams of this machine.
 *
 *     const program = await loadProgram(await readFile('bc.mvvm.wasm'));
 *     const run = runInWorker(program, { args: ['bc', '-g20'], snapshotFile: 'bc.mvvm.snap' });
 *     setTimeout(() => void run.checkpoint(), 1000);
 *     const outcome = await run.done;
 *
 * and later, here or on another machine: `runInWorker(program, { from: 'bc.mvvm.snap' })`.
 */

export { heedBranchHints } from './branch-hints.js';
export type {
  CheckpointReport,
  ErrorReport,
  GrantedDirectory,
  RunStatistics,
  WorkerOutcome,
} from './guest-job.js';
export { openHostDirectory } from './host-filesystem.js';
export {
  GuestError,
  type PlainRunOptions,
  runInWorker,
  runPlainInWorker,
  type WorkerRun,
  type WorkerRunOptions,
} from './run-in-worker.js';
export {
  compactSnapshotFiles,
  readSnapshotFile,
  readSnapshotFiles,
  type WriteFileOptions,
  writeSnapshotFile,
} from './snapshot-file.js';
export {
  compactSnapshotChain,
  type ReadChain,
  type ReadChainOptions,
  readSnapshotChain,
  removeSnapshotChain,
} from './snapshot-file-chain.js';
export { type ChainOptions, SnapshotChainWriter, type WrittenFile } from './snapshot-file-chain-writer.js';
export { aesCipher, ed25519Check, ed25519Signer, nodeCodecs } from './snapshot-file-services.js';
export { decodingOf, encodingOf, type SnapshotStorage } from './snapshot-storage.js';
export { blockingInput, descriptorOutput, type NodeStdioOptions, nodeStdio } from './stdio.js';
export { engineTiersUp } from './tier-up.js';
export type { TellProgress, TransferProgress } from './transfer-progress.js';
