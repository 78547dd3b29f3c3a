/**
 * The page docs/troubleshooting.md: everything that can be said to be wrong, with what to do. Each row is made by the
 * function that makes the diagnostic in earnest, so that the page says what the programs say.
 */

import * as compiling from '../passes/diagnostics.js';
import * as engine from '../runtime/engine/errors.js';
import * as snapshot from '../runtime/snapshot/errors.js';
import * as wasi from '../runtime/wasi/diagnostics.js';
import * as driver from './diagnostics.js';

interface Row {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

interface Chapter {
  readonly title: string;
  readonly text: string;
  readonly rows: readonly Row[];
}

const [module, file, reason, place] = ['<module>', '<file>', '<reason>', '<path>'];

const chapters: readonly Chapter[] = [
  {
    title: 'Compiling: the module',
    text: 'Said by `mvvmc`, `compile()` and the build steps. [Limits](limits.md) has what is not supported, and why.',
    rows: [
      driver.emptyInput(),
      driver.notWasm(undefined),
      driver.componentInput(),
      driver.unknownVersion(2),
      driver.truncatedInput(1000, 'the code section'),
      driver.alreadyCompiled('mvvm.info'),
      compiling.malformedModule(reason),
      compiling.reservedName('exported function', 'mvvm.<name>'),
      compiling.unsupportedInstruction('<function>', 'StructNew'),
      compiling.unsupportedSlot('function <function>', '<type>'),
      compiling.unsupportedModule('<feature>'),
      compiling.blockingImportInTable('<import>'),
      compiling.optimiserFailed(reason),
      compiling.invalidOutput('<pass>', reason),
      compiling.uncoveredCycle(['<function>', '<function>']),
    ],
  },
  {
    title: 'Compiling: options and tools',
    text: 'The same, about what was asked for.',
    rows: [
      driver.invalidOptions([reason]),
      driver.invalidProfile(file, reason),
      driver.profileOfAnotherModule('<SHA-256>', '<SHA-256>'),
      driver.wasmOptNotFound([place]),
      driver.wasmOptUnusable(place, reason),
      driver.wasmOptFailed(place, '108', reason),
      driver.passDidNotRun('<pass>'),
    ],
  },
  {
    title: 'Running and restoring: the program',
    text: 'Said by `mvvm` and the runtime library, before any code of the program runs unless it is about a checkpoint.',
    rows: [
      engine.notWasm(reason),
      engine.notCompiled(),
      engine.damagedSection('<section>', reason),
      engine.unknownImports(['<import>']),
      engine.noSuchFunction('<name>', ['<exports>']),
      engine.cannotStopIn('<name>', ['<functions>']),
      engine.unsupportedEntry('<name>', reason),
      engine.wrongArguments('<name>', ['i32', 'f64'], reason),
      engine.missingExport('<name>'),
      engine.badState(reason),
      engine.stackTooSmall(),
      engine.memoryLimit(0, 1024),
      engine.notSavable(reason),
      engine.badDirectory(place, reason),
      engine.wrongUse(reason),
    ],
  },
  {
    title: 'The snapshot',
    text: 'Said of a snapshot file, its name in front. `mvvm snapshot verify` finds all of these without running anything.',
    rows: [
      snapshot.badMagic(1),
      snapshot.unknownVersion(2, 1),
      snapshot.truncated(100, 200),
      snapshot.trailingBytes(4),
      snapshot.badDigest(''),
      snapshot.badSection(reason),
      snapshot.malformed(reason),
      snapshot.badHeader(reason),
      snapshot.badJson(reason),
      snapshot.overLimit('<bytes or pages>', 2000, 1000),
      snapshot.outOfMemory(4_294_967_296),
      snapshot.noCodec('zstd'),
      snapshot.badBlock(reason),
      snapshot.needsCipher(),
      snapshot.notEncrypted(),
      snapshot.cannotDecrypt(),
      snapshot.unsigned(),
      snapshot.untrustedSigner('<key>'),
      snapshot.badSignature(),
      snapshot.needsParent('<SHA-256>'),
      snapshot.wrongParent('<SHA-256>', '<SHA-256>'),
      snapshot.chainChanged(reason),
      snapshot.missingLink(file, file),
      snapshot.otherModule(module, '<SHA-256>', '<SHA-256>'),
      snapshot.badFrames(reason),
      snapshot.badState(reason),
      snapshot.badTarget(0, 131_072, 65_536),
      snapshot.unwritable(reason),
      snapshot.needsAsync(),
      snapshot.notAFile('directory'),
      snapshot.ioFailed('written', reason),
    ],
  },
  {
    title: 'Files and sockets of the program',
    text: 'Said when a checkpoint is taken (then the program goes on) or when a snapshot is restored (then nothing has run).',
    rows: [
      wasi.textWithNul('<argument>'),
      wasi.badPreopenName('<name>'),
      wasi.badState(reason),
      wasi.duplicateDescriptor(4),
      wasi.notGranted(4, '<name>'),
      wasi.tooManyRights(4, '<name>'),
      wasi.fileGone(4, place),
      wasi.fileOfOtherKind(4, place, 'file', 'directory'),
      wasi.fileChanged(4, place, 'whose size has changed'),
      wasi.cannotReopen(4, place, 2),
      wasi.noNetwork(4, 'is a socket'),
      wasi.addressNotGranted(4, '127.0.0.1:80'),
      wasi.connectionToDecide(4, '127.0.0.1:80'),
      wasi.cannotReconnect(4, '127.0.0.1:80', 14),
      wasi.cannotBindAgain(4, '127.0.0.1:80', 3),
      wasi.cannotSaveSocket(4),
      wasi.cannotSaveSpecialFile(4, place, 'named pipe'),
      wasi.cannotSaveMissingFile(4, place),
      wasi.cannotSync(4, place, 29),
    ],
  },
];

/** The text of docs/troubleshooting.md, between the lines written by hand. */
export function troubleshootingPage(): string {
  const parts = chapters.map(({ title, text, rows }) => {
    const lines = rows.map(({ code, message, hint = '' }) => `| ${cell(message)} | ${cell(hint)} | \`${code}\` |\n`);
    return `## ${title}\n\n${text}\n\n| it says | what to do | code |\n|---|---|---|\n${lines.join('')}`;
  });
  return `# Troubleshooting

<!-- Made by \`make docs\` from compiler/docs-diagnostics.ts: change it there. -->

Every mistake is one line on standard error: what is wrong with what, and what to do about it. Search this page for what it says;
words in angle brackets stand for names of yours. Programs find the code in \`code\` of the error that is thrown, or of its
\`diagnostic\`; codes are stable, texts are not. \`-i\` (\`mvvm\`) and \`MVVMC_DEBUG=1\` (\`mvvmc\`) add a stack trace.

When nothing is wrong and nothing happens:

| what is seen | why | what to do |
|---|---|---|
| \`-c 500\` never stops the program | the default policy lets one of 65536 iterations fire; short runs pass no stable point | \`mvvm run --stats\` counts them; compile with \`--enable-loop-checkpoint\` or a smaller \`--threshold-bits\` |
| \`-f name\` finds no such function | the optimiser has put it into its caller | name the caller, or compile with \`--opt-level=0\` |
| a checkpoint takes long to come | a loop of very long iterations; a single \`memory.fill\` or a host call cannot be interrupted | a smaller \`--threshold-bits\` asks more often in loops |
| Ctrl-C does not end the program | the first one asks for a checkpoint | press it again |
| a restore prints lines again | the process was killed: what came after its last snapshot is done again | stop it by SIGTERM, which loses nothing |
| something is slow or missing on one machine | its engine or system lacks something | \`mvvm doctor\` |

${parts.join('\n')}`;
}

/** What has a meaning in a table of Markdown stands for itself. */
function cell(text: string): string {
  return text.replaceAll(/[|<>]/g, (letter) => ({ '|': '\\|', '<': '&lt;', '>': '&gt;' })[letter] ?? letter);
}
