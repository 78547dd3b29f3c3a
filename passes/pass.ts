/** What a pass is. registry.ts lists them all. */

import type { FunctionInfo, Policy, StableMap } from '../runtime/abi/index.js';
import type { Diagnostic } from './diagnostics.js';
import type { PendingMarks } from './dirty/mark-stores.js';
import type { CallGraph } from './ir/call-graph.js';
import type { Marker } from './ir/marks.js';
import type { IrModule } from './ir/module.js';
import type { Support } from './lowering/support.js';

export interface InstrumentOptions {
  /** At least one; they combine. */
  readonly policies: readonly Policy[];
  /** Counted points fire once per `2 ** thresholdBits` passings; 0 to 30. */
  readonly thresholdBits: number;
  /** How many expressions twins may have together, as a part of those of the module, see lowering/twins.ts; default none. */
  readonly twinBudget?: number;
  /** Above 0, no code is lowered for speed, see lowering/busy-code.ts; default 0. */
  readonly sizeLevel?: number;
  /** Which points were passed how often, for {@link checkpoint-pgo.ts}. */
  readonly profile?: Profile;
}

/** How often points were passed in a run: the input of the `checkpoint-pgo` pass. */
export interface Profile {
  /** SHA-256 of the original module that was profiled, lower-case hexadecimal. */
  readonly original: string;
  readonly points: readonly {
    readonly function: string;
    readonly kind: string;
    /** The point is the `ordinal`-th of its kind in its function. */
    readonly ordinal: number;
    readonly count: number;
  }[];
}

/** What a pass works on and leaves behind. */
export interface PassContext {
  readonly module: IrModule;
  readonly marker: Marker;
  readonly options: InstrumentOptions;
  readonly warnings: Diagnostic[];
  /** Names of the functions whose code is no longer as tidy as the optimiser has left it. */
  readonly changed: Set<string>;
  /** Set by the pass `dirty-bits` when it marks stores. */
  dirt?: {
    /** A region of memory is `1 << shift` bytes. */
    readonly shift: number;
    /** By function, what its polls do before they ask the host. */
    readonly pending: ReadonlyMap<string, PendingMarks>;
  };
  /** Set by the pass `lower-points`. */
  lowered?: {
    /** The functions that can be stopped, as the stable map lists them. */
    readonly functions: readonly FunctionInfo[];
    readonly support: Support;
    /** As it was before lowering. */
    readonly graph: CallGraph;
  };
  /** Set by the pass `module-state`. */
  map?: StableMap;
}

/** One entry of the registry: help text, documentation and test target are made from it. */
export interface PassInfo {
  /** Kebab-case; also the pass's file and its folder of golden files. */
  readonly name: string;
  readonly stage: 'placement' | 'analysis' | 'lowering';
  /** The command-line flag that turns it on; without one it always runs. */
  readonly flag?: string;
  /** One line, for `--help` and `--print-passes`. */
  readonly description: string;
  /** Markdown, for docs/passes.md. */
  readonly documentation: string;
}

export interface Pass extends PassInfo {
  run(context: PassContext): void;
}
