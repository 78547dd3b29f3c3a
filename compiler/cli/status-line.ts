/** A line on standard error that is drawn over again and taken away in the end: what long work is doing. */

/** Takes the line away. */
export const clearLine = '\r\x1b[K';

/** Whether there is somebody to see it, and a terminal that can take it away again. */
export function canDrawLine(): boolean {
  return process.stderr.isTTY === true && process.env['TERM'] !== 'dumb';
}

/**
 * The text in place of what stood there; what does not fit is left out, as a second line would stay.
 * @param columns of the terminal; 0 or undefined where it does not know
 */
export function statusLine(text: string, columns: number | undefined): string {
  return `${clearLine}${text.slice(0, (columns || USUAL_COLUMNS) - 1)}`;
}

const USUAL_COLUMNS = 80;
