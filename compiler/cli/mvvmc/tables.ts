/** What mvvmc prints about itself and its work, as plain text. */

import type { PassInfo } from '../../../passes/index.js';
import { ABI_VERSION } from '../../../runtime/abi/index.js';
import type { Timing } from '../../stages.js';
import { binaryenVersion, compilerVersion } from '../../versions.js';
import { alignColumns } from '../columns.js';

/** The text of `--version`: every version that decides what a compiled module looks like. */
export function versionText(): string {
  return `mvvmc ${compilerVersion} (ABI ${ABI_VERSION}, Binaryen ${binaryenVersion}, Node ${process.versions.node})\n`;
}

/** The text of `--print-passes`: one line a pass, in the order of the table of passes. */
export function passesText(passes: readonly PassInfo[]): string {
  const rows = passes.map(({ stage, name, flag, description }) => {
    return [stage, name, flag === undefined ? '' : `--${flag}`, description];
  });
  return alignColumns(rows);
}

/** The text of `--time-passes`: in the order they ran, with their share of the whole. */
export function timesText(timings: readonly Timing[], milliseconds: number): string {
  const row = (name: string, time: number): string => {
    const share = milliseconds === 0 ? 0 : Math.round((100 * time) / milliseconds);
    return `${time.toFixed(1).padStart(10)} ms ${String(share).padStart(3)} %  ${name}\n`;
  };
  return [...timings.map(({ name, milliseconds: time }) => row(name, time)), row('total', milliseconds)].join('');
}
