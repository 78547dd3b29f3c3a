/** The command `mvvm` as a person or a script uses it: what it prints where, and the status it ends with. */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { handInstrumented } from '../../fixtures/hand-instrumented/index.js';
import { commandFile, type Ended, type Running, runCommand, startCommand } from '../../fixtures/processes.js';
import { progressText } from './mvvm/progress-line.js';
import { clearLine } from './status-line.js';

const folder = await mkdtemp(join(tmpdir(), 'mvvm-cli-'));
afterAll(() => rm(folder, { recursive: true }));

const command = commandFile('mvvm');
await writeFile(join(folder, 'hand.mvvm.wasm'), await handInstrumented({ standalone: true }));
const plainEcho = join(process.cwd(), 'fixtures/programs/bc.wasm');

beforeEach(async () => {
  await rm(join(folder, 'hand.mvvm.snap'), { force: true });
});

const start = (...words: readonly string[]): Running => startCommand('mvvm', folder, words);
const mvvm = (...words: readonly string[]): Promise<Ended> => runCommand('mvvm', folder, words);

/** One line, from us, and no stack trace. */
function expectOneLine({ stdout, stderr }: Ended): void {
  expect(stdout).toBe('');
  expect(stderr).toMatch(/^mvvm: [^\n]+\n$/);
}

const result = '4618098372381769785\n';
const run6 = ['--entry', 'run', '-a', '6,5'];

describe('mvvm run', () => {
  test('passes on the results of an entry, and nothing of ours', async () => {
    expect(await mvvm('run', '--entry', 'run', 'hand.mvvm.wasm', '--', '6', '5')).toEqual({
      status: 0,
      stdout: result,
      stderr: '',
    });
    expect(await mvvm('run', '--entry', 'divide', 'hand.mvvm.wasm', '--', '-7', '2')).toMatchObject({
      stdout: '-3\n-1\n',
    });
  });

  test('waits for an engine that compiles everything ahead', () => {
    const flags = ['--no-liftoff', '--no-wasm-lazy-compilation'];
    const words = ['run', '--entry', 'run', 'hand.mvvm.wasm', '--', '6', '5'];
    const ended = spawnSync(process.execPath, [...flags, command, ...words], { cwd: folder, encoding: 'utf8' });
    expect(ended).toMatchObject({ status: 0, stdout: result, stderr: '' });
  });

  test('tells a trap, in one line and status 1', async () => {
    const ended = await mvvm('run', '--entry', 'divide', 'hand.mvvm.wasm', '--', '1', '0');
    expectOneLine(ended);
    expect(ended).toMatchObject({ status: 1, stderr: expect.stringContaining('divide by zero') });
  });

  test('runs a plain module when told so, and refuses it otherwise', async () => {
    const plain = await mvvm('run', '--plain', plainEcho, '--', '-g5', '-n1');
    expect(plain).toMatchObject({ status: 0, stderr: '', stdout: expect.stringContaining('Trial 1: checksum') });
    const refused = await mvvm('run', plainEcho);
    expectOneLine(refused);
    expect(refused).toMatchObject({ status: 1, stderr: expect.stringContaining('mvvmc -o') });
  });

  test('writes a line of statistics', async () => {
    const { stderr } = await mvvm('run', '--stats', ...run6, '-c', '20', 'hand.mvvm.wasm');
    const [checkpoint = '', line = '', ...rest] = stderr.split('\n');
    expect(checkpoint).toContain('hand.mvvm.snap');
    expect(rest).toEqual(['']);
    expect(JSON.parse(line)).toEqual({
      stablePoints: 20,
      checkpoints: [{ milliseconds: expect.any(Number), bytes: expect.any(Number) }],
      milliseconds: expect.any(Number),
    });
  });
});

describe('mvvm checkpoint and restore', () => {
  test('stop and go on, as often as one likes', async () => {
    const words = ['checkpoint', '-t', 'hand.mvvm.wasm', ...run6, '-c', '9'];
    const stopped = await mvvm(...words);
    expectOneLine(stopped);
    expect(stopped).toMatchObject({ status: 0, stderr: expect.stringContaining('mvvm restore -t hand.mvvm.wasm') });
    for (let hop = 0; hop < 3; hop++) {
      expect(await mvvm('restore', '-t', 'hand.mvvm.wasm', '-c', '5')).toMatchObject({ status: 0, stdout: '' });
    }
    const snapshot = await readFile(join(folder, 'hand.mvvm.snap'));
    expect(await mvvm('restore', '-t', 'hand.mvvm.wasm')).toEqual({ status: 0, stdout: result, stderr: '' });
    expect(await readFile(join(folder, 'hand.mvvm.snap'))).toEqual(snapshot);
  });

  test('give -a the next word even if it begins with a dash', async () => {
    const ended = await mvvm('checkpoint', '-t', 'hand.mvvm.wasm', '--entry', 'divide', '-a', '-7,2');
    expect(ended).toMatchObject({ status: 0, stdout: '-3\n-1\n' });
  });

  test('stop at the x-th entry of a function, by index or name', async () => {
    for (const name of ['3', 'square']) {
      const words = ['-t', 'hand.mvvm.wasm', ...run6, '-f', name, '-x', '2'];
      expect(await mvvm('checkpoint', ...words)).toMatchObject({ status: 0, stdout: '' });
      const { stack } = JSON.parse((await mvvm('inspect', '--json', 'hand.mvvm.snap')).stdout);
      expect(stack.frames[1]).toMatchObject({ function: 'square', kind: 'entry', slots: [{ name: 'x', value: 5 }] });
    }
  });

  test('leave no file when the program ends first', async () => {
    const ended = await mvvm('checkpoint', '-t', 'hand.mvvm.wasm', ...run6, '-c', '100000');
    expect(ended).toEqual({ status: 0, stdout: result, stderr: '' });
    expect(existsSync(join(folder, 'hand.mvvm.snap'))).toBe(false);
  });

  test('put the next checkpoint where they are told', async () => {
    await mvvm('checkpoint', '-t', 'hand.mvvm.wasm', ...run6, '-c', '9', '--snapshot', 'a.snap');
    await mvvm('restore', '-t', 'hand.mvvm.wasm', '-c', '9', '--snapshot', 'a.snap', '--next-snapshot', 'b.snap');
    for (const file of ['a.snap', 'b.snap']) {
      expect(await mvvm('restore', '-t', 'hand.mvvm.wasm', '--snapshot', file)).toMatchObject({ stdout: result });
    }
  });
});

describe('signals', () => {
  const busy = ['--entry', 'run', '-a', '7900,1', '-i'];

  test.each(['SIGINT', 'SIGTERM', 'SIGUSR1'] as const)('%s stops a program that waits for input', async (signal) => {
    const { child, says, ended } = start('checkpoint', '-t', 'hand.mvvm.wasm', '-i');
    await says('started');
    child.stdin?.write('abc');
    child.kill(signal);
    expect(await ended).toMatchObject({ status: 0, stdout: '' });
    const restored = start('restore', '-t', 'hand.mvvm.wasm');
    restored.child.stdin?.end('def');
    expect(await restored.ended).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  test('a job resumes itself until it is done', async () => {
    const job = ['run', '--resume', 'job.snap', 'hand.mvvm.wasm', ...busy];
    const first = start(...job);
    await first.says('started');
    first.child.kill('SIGTERM');
    const { status, stdout } = await first.ended;
    expect({ status, stdout }).toEqual({ status: 75, stdout: '' });
    expect(existsSync(join(folder, 'job.snap'))).toBe(true);

    const second = await mvvm(...job);
    const whole = await mvvm('run', 'hand.mvvm.wasm', '--entry', 'run', '-a', '7900,1');
    expect(second).toMatchObject({ status: 0, stdout: whole.stdout, stderr: expect.stringContaining('going on from') });
    expect(existsSync(join(folder, 'job.snap'))).toBe(false);
  });

  test('an interval writes again and again while the program goes on', async () => {
    const { child, says, ended } = start('run', '--checkpoint-every', '5ms', '-t', 'hand.mvvm.wasm');
    await says('the program goes on');
    await says('the program goes on');
    child.stdin?.end('abc');
    expect(await ended).toMatchObject({ status: 0, stdout: '' });
    expect(existsSync(join(folder, 'hand.mvvm.snap'))).toBe(true);
  });
});

describe('a run that goes on', () => {
  const job = ['--entry', 'run', '-a', '7900,1', 'hand.mvvm.wasm'];
  const parts = async (): Promise<string[]> => (await readdir(folder)).filter((name) => name.startsWith('job.snap'));

  test('leaves a base and deltas when it is killed, which can be shown, folded and gone on from', async () => {
    const every = ['--checkpoint-every', '5ms', '--resume', 'job.snap', ...job];
    const { child, says, ended } = start('run', ...every);
    await says('job.snap.');
    child.kill('SIGKILL');
    await ended;
    const { deltas } = JSON.parse((await mvvm('inspect', '--json', 'job.snap')).stdout);
    expect(['job.snap', ...deltas].sort()).toEqual((await parts()).filter((name) => !name.endsWith('tmp')).sort());

    const folded = await mvvm('snapshot', 'compact', 'job.snap', '-o', 'one.snap');
    expectOneLine(folded);
    expect(folded).toMatchObject({ status: 0, stderr: expect.stringContaining('are one file now') });
    const whole = await mvvm('run', ...job);
    const fromOne = await mvvm('restore', '-t', 'hand.mvvm.wasm', '--snapshot', 'one.snap');
    expect(fromOne).toMatchObject({ status: 0, stdout: whole.stdout });

    const resumed = await mvvm('run', '--resume', 'job.snap', ...job);
    expect(resumed).toMatchObject({ status: 0, stdout: whole.stdout });
    expect(await parts()).toEqual([]);
  });
});

describe('on a terminal', () => {
  const preload = pathToFileURL(join(process.cwd(), 'dist/fixtures/bad-input/fail-at.js')).href;
  const slowly = (terminal: boolean, TERM: string): Promise<Ended> => {
    const asTerminal = `data:text/javascript,process.stderr.isTTY=${terminal}`;
    const env = { MVVM_FAIL: 'write:SLOW', NODE_OPTIONS: `--import=${preload} --import=${asTerminal}`, TERM };
    return runCommand('mvvm', folder, ['checkpoint', '-t', 'hand.mvvm.wasm', ...run6, '-c', '9'], env);
  };

  test('a snapshot that takes long is told about, and the line is gone before anything else is said', async () => {
    const { stderr, status } = await slowly(true, 'xterm');
    expect(status).toBe(0);
    const [nothing, line, ...rest] = stderr.split(clearLine);
    expect(nothing).toBe('');
    expect(line).toMatch(/^mvvm: writing hand\.mvvm\.snap: [\d.]+ \w+, [\d.]+ \w+\/s$/);
    expect(rest.at(-1)).toMatch(/^mvvm: checkpoint: hand\.mvvm\.snap .*\n$/);
  });

  test.each([
    [false, 'xterm'],
    [true, 'dumb'],
  ])('no line is drawn that could not be taken away (%s, %s)', async (terminal, kind) => {
    expect((await slowly(terminal, kind)).stderr).toMatch(/^mvvm: checkpoint: [^\r]*\n$/);
  });
});

test('progress is a share and a rate', () => {
  const progress = { action: 'read', file: 'a.snap', bytes: 3 << 20, milliseconds: 1500, isOver: false } as const;
  expect(progressText({ ...progress, total: 4 << 20 })).toBe('reading a.snap: 3.0 MiB of 4.0 MiB (75 %), 2.0 MiB/s');
});

describe('standard input', () => {
  test('is read no further than the program asks', async () => {
    // The program reads single bytes and is stopped after two of them; the rest is there for the next one.
    const script = `"${process.execPath}" "${command}" checkpoint -t hand.mvvm.wasm -c 9 2>/dev/null; head -c 100`;
    const shell = spawn('sh', ['-c', `printf abcdefgh | { ${script}; }`], { cwd: folder });
    let rest = '';
    shell.stdout.on('data', (chunk) => {
      rest += chunk;
    });
    await once(shell, 'close');
    expect(rest).toBe('cdefgh');
  });
});

describe('mvvm inspect', () => {
  test('shows a person what is in a snapshot', async () => {
    await mvvm('checkpoint', '-t', 'hand.mvvm.wasm', ...run6, '-c', '17', '-e', 'TOKEN=hunter2');
    const { stdout, status } = await mvvm('inspect', 'hand.mvvm.snap');
    expect(status).toBe(0);
    expect(stdout).toContain('after 17 stable points');
    expect(stdout).toContain('#0 square [3] at loop 0 (stable point 3)\n       i32 x = 5\n');
    expect(stdout).toContain('f32 weight = NaN  (0x7fa00001)');
    expect(stdout).toContain('Memory 0: 2 pages (128.0 KiB)');
    expect(stdout).not.toContain('hunter2');
    expect((await mvvm('inspect', '--secrets', 'hand.mvvm.snap')).stdout).toContain('TOKEN=hunter2');
  });

  test('shows a program the same as JSON', async () => {
    await mvvm('checkpoint', '-t', 'hand.mvvm.wasm', ...run6, '-c', '17', '-e', 'TOKEN=hunter2');
    const { stdout } = await mvvm('inspect', '--json', 'hand.mvvm.snap');
    expect(JSON.parse(stdout)).toMatchObject({
      entry: 'run',
      stablePoints: 17,
      point: 3,
      stack: { frames: [{ function: 'run' }, { function: 'square' }], droppedSegments: [1] },
      memories: [{ pages: 2, regions: [{ start: 0, end: 4096 }] }],
      tables: [{ elements: 3, nulls: 1 }],
      descriptors: [{ name: 'stdin' }, { name: 'stdout' }, { name: 'stderr' }],
    });
    expect(stdout).not.toContain('hunter2');
  });

  test('says what it can without the module', async () => {
    await mvvm('checkpoint', '-t', 'hand.mvvm.wasm', ...run6, '-c', '17', '--snapshot', 'lonely.snap');
    const { stdout, status } = await mvvm('inspect', 'lonely.snap');
    expect(status).toBe(0);
    expect(stdout).toContain('name it with -t');
    expect((await mvvm('inspect', 'lonely.snap', '-t', 'hand.mvvm.wasm')).stdout).toContain('#1 run');
  });
});

describe('mvvm snapshot verify', () => {
  beforeEach(() => mvvm('checkpoint', '-t', 'hand.mvvm.wasm', ...run6, '-c', '17'));

  test('says that a snapshot is sound, and whether it was compared with its module', async () => {
    const ended = await mvvm('snapshot', 'verify', 'hand.mvvm.snap');
    expect(ended).toEqual({ status: 0, stdout: 'hand.mvvm.snap: sound, fits its module\n', stderr: '' });
    await rename(join(folder, 'hand.mvvm.snap'), join(folder, 'lonely.snap'));
    const { stdout, status } = await mvvm('snapshot', 'verify', '--json', 'lonely.snap');
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ file: 'lonely.snap', sound: true, deltas: [], fits: false });
  });

  test('says what is wrong with one that is damaged, with status 1', async () => {
    const bytes = await readFile(join(folder, 'hand.mvvm.snap'));
    await writeFile(join(folder, 'hand.mvvm.snap'), bytes.subarray(0, -1));
    const ended = await mvvm('snapshot', 'verify', 'hand.mvvm.snap');
    expectOneLine(ended);
    expect(ended.status).toBe(1);
    const { stdout, stderr, status } = await mvvm('snapshot', 'verify', '--json', 'hand.mvvm.snap');
    expect({ stderr, status }).toEqual({ stderr: '', status: 1 });
    const facts = JSON.parse(stdout);
    expect(facts).toMatchObject({ file: 'hand.mvvm.snap', sound: false, code: expect.stringMatching(/^snapshot\//) });
    expect(ended.stderr).toContain(facts.message);
  });
});

describe('mvvm doctor', () => {
  test('tries what this host can do, and says so to a person', async () => {
    const { stdout, status, stderr } = await mvvm('doctor');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain(`in Node ${process.versions.node}\n`);
    expect(stdout).toMatch(/^SIMD +yes +yes$/m);
    expect(stdout).toMatch(/^stop and continue +yes /m);
    expect(stdout.endsWith('Programs can be stopped and continued here.\n')).toBe(true);
  });

  test('and to a program', async () => {
    const { stdout } = await mvvm('doctor', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      host: { name: 'Node', version: process.versions.node },
      engine: { name: 'V8' },
      features: expect.arrayContaining([{ name: 'multi-value', engine: true, compiler: true }]),
      checks: expect.arrayContaining([expect.objectContaining({ name: 'snapshot files', works: true, needed: true })]),
    });
  });
});

describe('a wrong command line ends with status 2 and one line', () => {
  test.each([
    [[], 'no command'],
    [['foo'], 'unknown command'],
    [['restor'], 'did you mean mvvm restore?'],
    [['hand.mvvm.wasm'], 'write mvvm run'],
    [['run'], 'no module'],
    [['run', 'a.wasm', 'b.wasm'], 'go behind --'],
    [['run', '--bogus', 'a.wasm'], 'unknown option --bogus'],
    [['run', '--stat', 'a.wasm'], 'did you mean --stats?'],
    [['run', '--stats=yes', 'a.wasm'], 'takes no value'],
    [['run', '-c', '0', 'a.wasm'], 'whole number from 1'],
    [['run', '-c', '1', '-c', '2', 'a.wasm'], 'more than once'],
    [['run', '-c', '1', '-f', '2', 'a.wasm'], '-c and -f'],
    [['run', '-c', '1', '-x', '2', 'a.wasm'], '-c and -x'],
    [['run', '-x', '2', 'a.wasm'], 'add -f'],
    [['run', '-e', 'A', 'a.wasm'], 'KEY=value'],
    [['run', '--checkpoint-every', 'soon', 'a.wasm'], 'must be a time'],
    [['run', '--json', 'a.wasm'], 'an option of mvvm inspect and doctor'],
    [['checkpoint', '-o', 'host', '-s', '9', 'a.wasm'], 'not built in'],
    [['run', '--plain', '-c', '3', 'a.wasm'], 'cannot be stopped'],
    [['run', '--resume', 'a', '--snapshot', 'b', 'a.wasm'], 'leave out --snapshot'],
    [['restore', 'a.wasm', '--', 'x'], 'keeps its arguments'],
    [['inspect'], 'no snapshot'],
    [['run', 'a.wasm', '-c'], 'needs a value'],
    [['doctor', 'x'], 'one word too many'],
    [['completion'], 'mvvm completion bash'],
    [['completion', 'tcsh'], 'unknown shell tcsh'],
    [['run', '-d', '--stats', 'a.wasm'], '--dir needs a value'],
    [['snapshot'], 'no action'],
    [['snapshot', 'compact'], 'no snapshot'],
    [['snapshot', 'compact', 'a.snap', '--bogus'], '--bogus'],
    [['snapshot', 'compact', 'a.snap', '--outptu', 'b'], 'did you mean --output?'],
    [['snapshot', 'compcat', 'a.snap'], 'did you mean mvvm snapshot compact?'],
    [['snapshot', 'verify', '-o', 'b', 'a.snap'], '--output is an option of mvvm snapshot compact'],
  ])('%j', async (words, text) => {
    const ended = await mvvm(...words);
    expectOneLine(ended);
    expect(ended.status).toBe(2);
    expect(ended.stderr).toContain(text);
  });
});

describe('what cannot be used ends with status 1 and one line', () => {
  test.each([
    [['run', 'nope.wasm'], 'no such file'],
    [['run', '.'], 'is a folder'],
    [['run', command], 'not a WebAssembly module'],
    [['run', '--entry', 'nope', 'hand.mvvm.wasm'], 'it has run, fall'],
    [['run', '--entry', 'fall', 'hand.mvvm.wasm', '--', 'x'], 'argument 1 is "x"'],
    [['run', '-d', 'nowhere', 'hand.mvvm.wasm'], 'does not exist'],
    [['run', '-f', 'zzz', 'hand.mvvm.wasm'], 'zzz'],
    [['run', '-c', '9', '--snapshot', 'no/such/x.snap', 'hand.mvvm.wasm'], 'cannot write no/such/x.snap'],
    [['restore', 'hand.mvvm.wasm'], 'there is no snapshot hand.mvvm.snap'],
    [['restore', 'hand.mvvm.wasm', '--snapshot', 'hand.mvvm.wasm'], 'not an mvvm snapshot'],
    [['restore', 'hand.mvvm.wasm', '--snapshot', '.'], 'directory'],
    [['inspect', 'hand.mvvm.wasm'], 'not an mvvm snapshot'],
    [['snapshot', 'compact', 'hand.mvvm.wasm'], 'not an mvvm snapshot'],
    [['inspect', 'nope.snap'], 'there is no snapshot nope.snap - check the path'],
    [['inspect', '.'], 'directory'],
    [['snapshot', 'compact', 'nope.snap'], 'there is no snapshot nope.snap'],
  ])('%j', async (words, text) => {
    const ended = await mvvm(...words);
    expectOneLine(ended);
    expect(ended.status).toBe(1);
    expect(ended.stderr).toContain(text);
  });

  test('and a stack trace with -i', async () => {
    const { stderr } = await mvvm('run', '-i', 'nope.wasm');
    expect(stderr).toMatch(/\n {4}at /);
  });
});

describe('help', () => {
  test('explains the commands, and each its options', async () => {
    const { stdout, status } = await mvvm('--help');
    expect(status).toBe(0);
    for (const name of ['run', 'checkpoint', 'restore', 'inspect', 'doctor', 'completion']) {
      expect(stdout).toContain(`mvvm ${name}`);
      expect((await mvvm(name, '--help')).stdout).toContain(`mvvm ${name}`);
    }
    expect((await mvvm('run', '--help')).stdout).toMatch(/-c, --count +At the n-th stable point/);
    expect((await mvvm('--version')).stdout).toMatch(/^mvvm \d+\.\d+\.\d+ \(ABI \d+, snapshot format \d+, Node /);
  });
});
