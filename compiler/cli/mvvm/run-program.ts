/** `mvvm run`, `checkpoint` and `restore`: one program in a worker thread, this thread listening for reasons to stop. */

import { accessSync, constants, existsSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { compileModule, findFunction, type PointProfile, type Program } from '../../../runtime/index.js';
import {
  removeSnapshotChain,
  runInWorker,
  runPlainInWorker,
  type WorkerOutcome,
  type WorkerRun,
  type WorkerRunOptions,
} from '../../../runtime/node/index.js';
import { fileProblem } from '../errors.js';
import { defaultSnapshot, type ProgramRequest } from './command-line.js';
import { loadModule, readModule, requireSnapshot } from './given-files.js';
import {
  checkpointText,
  logText,
  profileText,
  refusedText,
  stackText,
  statisticsText,
  trappedText,
} from './messages.js';
import { drawProgress } from './progress-line.js';
import { listenForStop } from './stop-signals.js';
import { readStorage } from './storage-options.js';
import { writeStandardError, writeStandardOutput } from './streams.js';

/** Tells a supervisor to start the job again, here or elsewhere (sysexits: EX_TEMPFAIL). */
const STATUS_START_AGAIN = 75;

/** @returns the exit status */
export async function runProgram(request: ProgramRequest): Promise<number> {
  return request.plain ? runPlain(request) : runCompiled(request);
}

async function runPlain(request: ProgramRequest): Promise<number> {
  const bytes = await readModule(request.target);
  const plain = await compileModule(bytes);
  const run = runPlainInWorker({ ...plain, bytes }, programOptions(request));
  return finish(request, await run.done);
}

async function runCompiled(request: ProgramRequest): Promise<number> {
  const signals = listenForStop();
  const storage = readStorage(request.storage);
  const log = (text: string): void => {
    if (request.debug) writeStandardError(logText(text));
  };
  const program = await loadModule(request.target);
  log(`${request.target}: ${program.info.policies.join(', ')}; ${program.map.functions.length} functions can stop`);
  const resumes = request.resume === 'always' || (request.resume === 'if-there' && existsSync(request.from));
  if (resumes) {
    requireSnapshot(request.from, `take one with mvvm checkpoint -t ${request.target}, or name one with --snapshot`);
  }
  if (wantsSnapshot(request)) checkFolder(request.snapshotFile);
  if (request.profile !== undefined) checkFolder(request.profile);

  let profile: PointProfile | undefined;
  const keepProfile = (counted: PointProfile): void => {
    profile = counted;
  };
  const run = runInWorker(program, {
    ...programOptions(request),
    ...(request.profile === undefined ? {} : { onProfile: keepProfile }),
    ...stopOptions(request, program),
    ...(resumes ? { from: request.from } : {}),
    snapshotFile: request.snapshotFile,
    storage,
    ...drawProgress(),
    onCheckpoint: (report) => writeStandardError(checkpointText(report, howToGoOn(request))),
    onRefused: (reason) => writeStandardError(refusedText(reason)),
    onLog: log,
  });
  log(resumes ? `going on from ${request.from}` : 'started');
  signals.attend((signal) => {
    log(`${signal}: asking for a checkpoint`);
    ask(run, false);
  });
  const outcome = await checkpointEvery(request.everyMs, run);
  signals.forget();
  if (request.resume === 'if-there' && outcome.kind === 'finished') removeSnapshotChain(request.from);
  if (request.profile !== undefined && profile !== undefined) writeProfile(request.profile, profile);
  return finish(request, outcome);
}

async function checkpointEvery(milliseconds: number | undefined, run: WorkerRun): Promise<WorkerOutcome> {
  const timer = milliseconds === undefined ? undefined : setInterval(() => ask(run, true), milliseconds);
  try {
    return await run.done;
  } finally {
    clearInterval(timer);
  }
}

function ask(run: WorkerRun, goOn: boolean): void {
  // A refusal is told by `onRefused`.
  run.checkpoint({ goOn }).catch(() => undefined);
}

function finish(request: ProgramRequest, outcome: WorkerOutcome): number {
  if (outcome.kind === 'finished') {
    for (const value of outcome.results) writeStandardOutput(`${value}\n`);
  }
  if (outcome.kind === 'trapped') {
    writeStandardError(trappedText(outcome.error.message));
    if (request.debug) writeStandardError(stackText(outcome.error));
  }
  if (request.stats) writeStandardError(statisticsText(outcome.statistics));
  switch (outcome.kind) {
    case 'finished':
      return outcome.exitStatus & 0xff;
    case 'trapped':
      return 1;
    case 'checkpointed':
      return request.resume === 'if-there' ? STATUS_START_AGAIN : 0;
  }
}

function programOptions(request: ProgramRequest): WorkerRunOptions {
  const { entry, deterministic, stackSize, args, env, directories, addresses, connections, command } = request;
  // An entry other than a command's takes the words as its parameters, not as a program's arguments.
  const isCommand = entry === undefined || entry === '_start';
  return {
    input: 'inherit',
    env,
    directories,
    addresses,
    ...(connections === undefined ? {} : { connections }),
    ...(command === 'restore' ? {} : { args: [programName(request.target), ...(isCommand ? args : [])] }),
    ...(entry === undefined ? {} : { entry }),
    ...(isCommand ? {} : { entryArguments: args }),
    ...(deterministic === undefined ? {} : { deterministic }),
    ...(stackSize === undefined ? {} : { stackSize }),
  };
}

function stopOptions({ atPoint, atEntry }: ProgramRequest, program: Program): WorkerRunOptions {
  return {
    ...(atPoint === undefined ? {} : { atPoint }),
    ...(atEntry === undefined
      ? {}
      : { atEntry: { function: findFunction(program, atEntry.function), count: atEntry.count } }),
  };
}

/** What a person can type to go on from the checkpoint. */
function howToGoOn({ resume, target, snapshotFile }: ProgramRequest): string {
  if (resume === 'if-there') return 'the same command goes on';
  const named = snapshotFile === defaultSnapshot(target) ? '' : ` --snapshot ${snapshotFile}`;
  return `mvvm restore -t ${target}${named} goes on`;
}

/** What the program is told that it is called: the same whether it was compiled by mvvmc or not. */
function programName(target: string): string {
  return basename(target).replace(/\.mvvm\.wasm$/, '.wasm');
}

/** Whether it is certain that a snapshot will be written, if the program runs long enough. */
function wantsSnapshot({ command, atPoint, atEntry, everyMs, resume }: ProgramRequest): boolean {
  const stops = atPoint !== undefined || atEntry !== undefined || everyMs !== undefined;
  return stops || command === 'checkpoint' || resume === 'if-there';
}

function writeProfile(file: string, profile: PointProfile): void {
  try {
    writeFileSync(file, `${JSON.stringify(profile)}\n`);
  } catch (error) {
    throw fileProblem('write', file, error);
  }
  writeStandardError(profileText(file, profile));
}

/** It would be a pity to find out after hours. */
function checkFolder(file: string): void {
  try {
    accessSync(dirname(file), constants.W_OK);
  } catch (error) {
    throw fileProblem('write', file, error);
  }
}
