/** The command `mvvm`: from the words of the command line to the status to end with. */

import { ABI_VERSION } from '../../../runtime/abi/index.js';
import { FORMAT_VERSION } from '../../../runtime/index.js';
import { compilerVersion } from '../../versions.js';
import { completionScript } from '../completion/index.js';
import { parseCommandLine, type Request } from './command-line.js';
import { describeCommands } from './describe-commands.js';
import { helpOf, overview } from './help.js';
import { inspect } from './inspect.js';
import { describeFailure } from './messages.js';
import { runProgram } from './run-program.js';
import { compact, verify } from './snapshot-command.js';
import { snapshotHelp } from './snapshot-options.js';
import { writeStandardError, writeStandardOutput } from './streams.js';

/**
 * @param words the command line behind the program's name
 * @returns the exit status, see `mvvm --help`
 */
export async function main(words: readonly string[]): Promise<number> {
  let request: Request | undefined;
  try {
    request = parseCommandLine(words);
    return await perform(request);
  } catch (error) {
    const debug = request !== undefined && 'debug' in request && request.debug;
    const { text, status } = describeFailure(error, debug);
    writeStandardError(text);
    return status;
  }
}

async function perform(request: Request): Promise<number> {
  switch (request.kind) {
    case 'help': {
      const { columns } = process.stdout;
      writeStandardOutput(request.command === undefined ? overview() : helpOf(request.command, columns));
      return 0;
    }
    case 'version':
      writeStandardOutput(versionText());
      return 0;
    case 'inspect':
      writeStandardOutput(await inspect(request));
      return 0;
    case 'snapshot-help':
      writeStandardOutput(snapshotHelp(process.stdout.columns));
      return 0;
    case 'compact':
      writeStandardError(compact(request));
      return 0;
    case 'verify': {
      const { stdout, stderr, status } = await verify(request);
      if (stdout !== '') writeStandardOutput(stdout);
      writeStandardError(stderr);
      return status;
    }
    case 'doctor': {
      // Tries the compiler, which takes longer to load than most programs take to be restored: nothing else here needs it.
      const { doctor } = await import('./doctor.js');
      const { text, status } = await doctor(request);
      writeStandardOutput(text);
      return status;
    }
    case 'completion':
      writeStandardOutput(completionScript(request.shell, describeCommands()));
      return 0;
    case 'program':
      return runProgram(request);
  }
}

/** Every version that decides what this command can run and restore. */
function versionText(): string {
  const { node, v8 } = process.versions;
  return `mvvm ${compilerVersion} (ABI ${ABI_VERSION}, snapshot format ${FORMAT_VERSION}, Node ${node}, V8 ${v8})\n`;
}
