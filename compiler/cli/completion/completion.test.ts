/** Completion as the shells do it: the script is loaded by a real shell, which is asked what it would offer. */

import { spawnSync } from 'node:child_process';
import { describe, expect, test } from '@jest/globals';
import { describeCommands } from '../mvvm/describe-commands.js';
import { describeCommandLine, parseCommandLine as parseCompile } from '../mvvmc/command-line.js';
import { completionScript, parseCompletion } from './index.js';

/** What bash offers for the last of these words. */
function offered(...words: readonly [string, ...string[]]): string[] {
  const [program] = words;
  const script = completionScript('bash', program === 'mvvm' ? describeCommands() : describeCommandLine());
  const ask = `COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _${program} || true; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr, status } = spawnSync(
    'bash',
    ['--norc', '--noprofile', '-euc', `${script}\n${ask}`, 'bash', ...words],
    {
      encoding: 'utf8',
    },
  );
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  return stdout.split('\n').filter((line) => line !== '');
}

describe('bash is offered', () => {
  test('the commands of mvvm', () => {
    expect(offered('mvvm', '')).toEqual([
      'run',
      'checkpoint',
      'restore',
      'inspect',
      'doctor',
      'completion',
      'snapshot',
    ]);
    expect(offered('mvvm', 're')).toEqual(['restore']);
    expect(offered('mvvm', '--v')).toEqual(['--version']);
  });

  test('the options of a command, and no others', () => {
    expect(offered('mvvm', 'run', '--ch')).toEqual(['--checkpoint-every']);
    expect(offered('mvvm', 'inspect', '--')).toContain('--secrets');
    expect(offered('mvvm', 'inspect', '--')).not.toContain('--stats');
  });

  test('the values of an option that has few, behind a space or an equals sign', () => {
    expect(offered('mvvm', 'restore', '--sockets', '')).toEqual(['reconnect', 'fail']);
    expect(offered('mvvm', 'restore', '--sockets', '=')).toEqual(['reconnect', 'fail']);
    expect(offered('mvvmc', '--emit', '=', 'wat')).toEqual(['wat']);
    expect(offered('mvvmc', 'a.wasm', '--dump-after', 'lower')).toEqual(['lower-points']);
  });

  test('the operands that are no files', () => {
    expect(offered('mvvm', 'snapshot', '')).toEqual(['compact', 'verify']);
    expect(offered('mvvmc', 'completion', '')).toEqual(['bash', 'zsh', 'fish']);
  });

  test('nothing where files stand, so that it offers those', () => {
    expect(offered('mvvm', 'run', '')).toEqual([]);
    expect(offered('mvvmc', '--emit', 'wat', '')).toEqual([]);
  });
});

const hasFish = spawnSync('fish', ['--version']).status === 0;
const hasZsh = spawnSync('zsh', ['--version']).status === 0;

describe('zsh', () => {
  (hasZsh ? test : test.skip)('reads the scripts (skipped where there is no zsh)', () => {
    for (const description of [describeCommands(), describeCommandLine()]) {
      const script = completionScript('zsh', description);
      const { stderr, status } = spawnSync('zsh', ['-n', '-c', script], { encoding: 'utf8' });
      expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
    }
  });

  test('is given every option with its description, quoted', () => {
    const script = completionScript('zsh', describeCommandLine());
    expect(script.startsWith('#compdef mvvmc\n')).toBe(true);
    expect(script).toContain("'--emit=[Write the module as wasm (binary) or wat (text)]:value:(wasm wat)'");
    expect(script).toContain("'(--output -o)-o[Where the module goes; - is standard output]:value:_files'");
  });
});

describe('fish', () => {
  (hasFish ? test : test.skip)('offers commands, options and values (skipped where there is no fish)', () => {
    const script = completionScript('fish', describeCommands());
    const ask = (line: string): string[] => {
      const { stdout, stderr, status } = spawnSync('fish', ['-c', `${script}\ncomplete -C ${JSON.stringify(line)}`], {
        encoding: 'utf8',
      });
      expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
      return stdout.split('\n').map((row) => row.replace(/\t.*/, ''));
    };
    expect(ask('mvvm re')).toContain('restore');
    expect(ask('mvvm run --check')).toContain('--checkpoint-every');
    expect(ask('mvvm restore --sockets re')).toContain('reconnect');
    expect(ask('mvvm snapshot ver')).toContain('verify');
  });

  test('is given every option with its description, quoted', () => {
    const script = completionScript('fish', describeCommandLine());
    expect(script).toContain(
      "complete -c mvvmc -n 'not __fish_seen_subcommand_from completion' -l emit -r -f -a 'wasm wat' -d 'Write the module",
    );
    expect(script).toContain("-l threshold-bits -l checkpoint-freq -r -d 'Counted");
  });
});

describe('the words behind completion', () => {
  test('name one shell', () => {
    expect(parseCompletion('mvvm', ['zsh'])).toEqual({ kind: 'completion', shell: 'zsh' });
    expect(parseCompile(['completion', 'bash'])).toEqual({ kind: 'completion', shell: 'bash' });
    expect(() => parseCompletion('mvvm', [])).toThrow('no shell given');
    expect(() => parseCompletion('mvvm', ['tcsh'])).toThrow('unknown shell tcsh');
    expect(() => parseCompletion('mvvm', ['bash', 'zsh'])).toThrow('more than one');
  });
});
