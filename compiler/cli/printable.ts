/**
 * Text on its way to a terminal, one line of it. Messages and tables quote what stands in files that others made: names in
 * modules, paths in snapshots. None of it may act there (escape sequences, line breaks, changes of direction).
 */
export function printable(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ').replace(/\p{Cc}|\p{Cf}|\p{Zl}|\p{Zp}/gu, '\ufffd');
}
