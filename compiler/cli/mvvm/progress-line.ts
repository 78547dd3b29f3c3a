/** How far reading or writing a large snapshot has come, and how fast: a line on terminals. */

import type { TellProgress, TransferProgress } from '../../../runtime/node/index.js';
import { sizeText } from '../size-text.js';
import { canDrawLine, clearLine, statusLine } from '../status-line.js';
import { writeStandardError } from './streams.js';

/** What draws the line; nothing, where it could not be taken away again. */
export function drawProgress(): { readonly onProgress?: TellProgress } {
  if (!canDrawLine()) return {};
  return {
    onProgress: (progress) =>
      writeStandardError(
        progress.isOver ? clearLine : statusLine(`mvvm: ${progressText(progress)}`, process.stderr.columns),
      ),
  };
}

export function progressText({ action, file, bytes, total, milliseconds }: TransferProgress): string {
  const rate = `${sizeText((bytes / milliseconds) * 1000)}/s`;
  const part = total === undefined ? '' : ` of ${sizeText(total)} (${Math.floor((100 * bytes) / total)} %)`;
  return `${action === 'read' ? 'reading' : 'writing'} ${file}: ${sizeText(bytes)}${part}, ${rate}`;
}
