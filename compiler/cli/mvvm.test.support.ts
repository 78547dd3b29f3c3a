/** Our commands as processes of their own, as a person or a script starts them. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  /** Resolves when this text has been printed on standard error. */
  readonly says: (text: string) => Promise<void>;
  readonly ended: Promise<Ended>;
}

/** The file that Node runs for a command. */
export const commandFile = (name: 'mvvm' | 'mvvmc'): string => join(process.cwd(), 'dist/compiler/cli', `${name}.js`);

/** Starts a command in a folder, with next to no environment. */
export function startCommand(name: 'mvvm' | 'mvvmc', folder: string, words: readonly string[]): Running {
  const env = { PATH: process.env['PATH'] ?? '', NO_COLOR: '1' };
  const child = spawn(process.execPath, [commandFile(name), ...words], { cwd: folder, env });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const ended = once(child, 'close').then(() => ({ status: child.exitCode, stdout, stderr }));
  const says = async (text: string): Promise<void> => {
    while (!stderr.includes(text)) {
      if (child.exitCode !== null) throw new Error(`it ended without saying ${text}: ${stderr}`);
      await once(child.stderr, 'data');
    }
  };
  return { child, says, ended };
}

/** Runs a command to its end, with nothing on standard input. */
export async function runCommand(name: 'mvvm' | 'mvvmc', folder: string, words: readonly string[]): Promise<Ended> {
  const { child, ended } = startCommand(name, folder, words);
  child.stdin?.end();
  return ended;
}
