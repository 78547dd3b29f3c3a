/** From the words on the command line to files: what `mvvmc` does, one step after the other. */

import { type Profile, passes } from '../../../passes/index.js';
import { type CompileResult, compile } from '../../compile.js';
import { compileInThread, isOutOfStack } from '../../compile-in-thread.js';
import { passDidNotRun } from '../../diagnostics.js';
import type { CompileOptions } from '../../options.js';
import { readProfile } from '../../profile.js';
import { completionScript } from '../completion/index.js';
import { type CompileRequest, describeCommandLine, helpText, parseCommandLine } from './command-line.js';
import { readInput } from './input.js';
import { describeFailure, formatSummary, formatWarning } from './messages.js';
import { checkOutput, writeOutput, writeStandardOutput } from './output.js';
import { startProgress } from './progress.js';
import { passesText, timesText, versionText } from './tables.js';

/** From so much time on, a compile is told about on a terminal. */
const longMilliseconds = 1000;

/**
 * @param words the command line behind the program's name
 * @returns the status to end with: 0 done, 1 the module or a file is not usable, 2 the command line is wrong
 */
export async function run(words: readonly string[]): Promise<0 | 1 | 2> {
  let input: string | undefined;
  try {
    const request = parseCommandLine(words);
    if (request.kind === 'help') await writeStandardOutput(helpText(process.stdout.columns));
    else if (request.kind === 'version') await writeStandardOutput(versionText());
    else if (request.kind === 'print-passes') await writeStandardOutput(passesText(passes));
    else if (request.kind === 'completion') {
      await writeStandardOutput(completionScript(request.shell, describeCommandLine()));
    } else {
      input = nameOf(request);
      await runCompile(request);
    }
    return 0;
  } catch (error) {
    const { text, status } = describeFailure(error, input);
    process.stderr.write(text);
    return status;
  }
}

async function runCompile(request: CompileRequest): Promise<void> {
  if (!request.force) await checkOutput(request.output, request.input, request.emit === 'wasm');
  const bytes = await readInput(request.input);
  const options = await makeOptions(request);
  const dumps: Dump[] = [];
  const result = await compileWithProgress(request, bytes, options, dumps).finally(() => writeDumps(dumps));

  for (const diagnostic of result.diagnostics) process.stderr.write(formatWarning(diagnostic));
  for (const pass of request.dumpAfter) {
    if (!dumps.some((dump) => dump.pass === pass)) process.stderr.write(formatWarning(passDidNotRun(pass)));
  }
  await writeOutput(request.output, request.emit === 'wat' ? (result.text ?? '') : result.wasm);
  tellLongWork(request, result);
  if (request.timePasses) process.stderr.write(timesText(result.report.passes, result.report.milliseconds));
  if (request.report) await writeReport(result, request.reportFile);
}

async function makeOptions(request: CompileRequest): Promise<CompileOptions> {
  const { policies, thresholdBits, optLevel, sizeLevel, twinBudget, verifyEach, wasmOpt, profile } = request;
  return {
    policies,
    thresholdBits,
    optLevel,
    sizeLevel,
    verifyEach,
    text: request.emit === 'wat',
    ...(twinBudget === undefined ? {} : { twinBudget }),
    ...(wasmOpt === undefined ? {} : { wasmOpt }),
    ...(profile === undefined ? {} : { profile: await readProfileFile(profile) }),
  };
}

/** The module as text after a pass. */
interface Dump {
  readonly pass: string;
  readonly text: string;
}

/** What was dumped before something went wrong is there too: that is when it is needed most. */
async function compileWithProgress(
  request: CompileRequest,
  bytes: Uint8Array,
  options: CompileOptions,
  dumps: Dump[],
): Promise<CompileResult> {
  const progress = startProgress(`mvvmc: ${nameOf(request)}`);
  try {
    return compile(bytes, options, {
      onStage: (name) => progress.stage(name),
      onPass(pass, _milliseconds, text) {
        if (request.dumpAfter.includes(pass)) dumps.push({ pass, text: text() });
      },
    });
  } catch (error) {
    if (!isOutOfStack(error)) throw error;
    dumps.length = 0;
    progress.stage('again, in a thread with a larger stack');
    return await compileInThread(bytes, options, request.dumpAfter, (pass, text) => dumps.push({ pass, text }));
  } finally {
    progress.end();
  }
}

/** Whoever sat before a terminal and waited wants to know what for. */
function tellLongWork(request: CompileRequest, { report }: CompileResult): void {
  if (!process.stderr.isTTY || report.milliseconds < longMilliseconds) return;
  process.stderr.write(formatSummary(nameOf(request), report));
}

async function writeDumps(dumps: readonly Dump[]): Promise<void> {
  for (const { pass, text } of dumps) await writeStandardOutput(`;; after ${pass}\n${text}\n`);
}

async function writeReport({ report }: CompileResult, file: string | undefined): Promise<void> {
  const text = `${JSON.stringify(report)}\n`;
  if (file === undefined) process.stderr.write(text);
  else await writeOutput(file, text);
}

async function readProfileFile(path: string): Promise<Profile> {
  const text = Buffer.from(await readInput(path)).toString('utf8');
  return readProfile(text, path);
}

function nameOf({ input }: CompileRequest): string {
  return input === '-' ? 'standard input' : input;
}
