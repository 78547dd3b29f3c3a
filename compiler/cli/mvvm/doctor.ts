/** `mvvm doctor`: what this host, its engine and this version can do, for a person or as JSON. */

import { availableParallelism, endianness, totalmem } from 'node:os';
import { ABI_VERSION } from '../../../runtime/abi/index.js';
import { FORMAT_VERSION } from '../../../runtime/index.js';
import { binaryenVersion, compilerVersion } from '../../versions.js';
import { alignColumns } from '../columns.js';
import { sizeText } from '../size-text.js';
import { type CheckFacts, runChecks } from './doctor-checks.js';
import { type FeatureFacts, findFeatures } from './doctor-features.js';

export interface DoctorRequest {
  readonly kind: 'doctor';
  readonly json: boolean;
  readonly debug: boolean;
}

export interface HostFacts {
  readonly mvvm: string;
  readonly abi: number;
  readonly snapshotFormat: number;
  readonly binaryen: string;
  readonly engine: { readonly name: string; readonly version: string };
  /** The program that the engine is in: node, deno or bun. */
  readonly host: { readonly name: string; readonly version: string };
  readonly platform: string;
  readonly architecture: string;
  readonly byteOrder: 'little' | 'big';
  readonly processors: number;
  readonly memoryBytes: number;
  readonly features: readonly FeatureFacts[];
  readonly checks: readonly CheckFacts[];
}

/** @returns what to print, and 1 as the status when something is missing without which nothing works */
export async function doctor({ json }: DoctorRequest): Promise<{ readonly text: string; readonly status: 0 | 1 }> {
  const facts = await examineHost();
  const isFit = facts.checks.every(({ works, needed }) => works || !needed);
  return { text: json ? `${JSON.stringify(facts)}\n` : doctorText(facts, isFit), status: isFit ? 0 : 1 };
}

async function examineHost(): Promise<HostFacts> {
  return {
    mvvm: compilerVersion,
    abi: ABI_VERSION,
    snapshotFormat: FORMAT_VERSION,
    binaryen: binaryenVersion,
    ...findEngine(),
    platform: process.platform,
    architecture: process.arch,
    byteOrder: endianness() === 'LE' ? 'little' : 'big',
    processors: availableParallelism(),
    memoryBytes: totalmem(),
    features: findFeatures(),
    checks: await runChecks(),
  };
}

/** Bun and Deno say that they are Node, too; so they are asked first. */
function findEngine(): Pick<HostFacts, 'engine' | 'host'> {
  const { bun, deno, node, v8, webkit } = process.versions;
  if (bun !== undefined) {
    return { host: { name: 'Bun', version: bun }, engine: { name: 'JavaScriptCore', version: webkit ?? 'unknown' } };
  }
  const host = deno === undefined ? { name: 'Node', version: node } : { name: 'Deno', version: deno };
  return { host, engine: { name: 'V8', version: v8 } };
}

function doctorText(facts: HostFacts, isFit: boolean): string {
  const { mvvm, abi, snapshotFormat, host, engine, platform, architecture, byteOrder, processors, memoryBytes } = facts;
  const rows = [
    ['mvvm', `${mvvm} (ABI ${abi}, snapshot format ${snapshotFormat})`],
    ['engine', `${engine.name} ${engine.version} in ${host.name} ${host.version}`],
    [
      'machine',
      `${platform}, ${architecture}, ${byteOrder}-endian, ${processors} processors, ${sizeText(memoryBytes)}`,
    ],
  ];
  const features = facts.features.map((feature) => [feature.name, word(feature.engine), word(feature.compiler)]);
  const checks = facts.checks.map(({ name, works, detail }) => [name, word(works), detail]);
  return [
    alignColumns(rows),
    alignColumns([['WebAssembly', 'this engine', 'mvvmc'], ...features]),
    alignColumns([['This host', '', ''], ...checks]),
    isFit ? 'Programs can be stopped and continued here.\n' : 'Something is missing that nothing works without.\n',
  ].join('\n');
}

function word(yes: boolean): string {
  return yes ? 'yes' : 'no';
}
