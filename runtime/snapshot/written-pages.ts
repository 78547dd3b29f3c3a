/** Which pages of a memory a host wrote to, behind the back of the guest's dirty bits. */

import { PAGE_BYTES } from './format.js';
import { addPage, type PageRun } from './pages.js';

export class WrittenPages {
  /** A byte per page, up to the last one that was written to. */
  #marks = new Uint8Array(64);

  /** Takes down that `length` bytes from `address` on were written. */
  mark(address: number, length: number): void {
    if (length <= 0) return;
    const first = Math.floor(address / PAGE_BYTES);
    const end = Math.floor((address + length - 1) / PAGE_BYTES) + 1;
    if (end > this.#marks.length) {
      const larger = new Uint8Array(Math.max(end, this.#marks.length * 2));
      larger.set(this.#marks);
      this.#marks = larger;
    }
    this.#marks.fill(1, first, end);
  }

  /** What was written to since the last call. */
  take(): PageRun[] {
    const runs: { first: number; count: number }[] = [];
    for (let page = this.#marks.indexOf(1); page >= 0; page = this.#marks.indexOf(1, page + 1)) addPage(runs, page);
    this.#marks.fill(0);
    return runs;
  }
}
