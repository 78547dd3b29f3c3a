/** Ends the program: passes from the host call through the guest's frames to whoever started it. */
export class ProcExit extends Error {
  override name = 'ProcExit';
  readonly code = 'proc-exit';
  /** Exit status as the guest gave it, 32 bits unsigned. */
  readonly status: number;

  constructor(status: number) {
    super(`the program ended with status ${status}`);
    this.status = status;
  }
}
