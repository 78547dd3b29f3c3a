/** Tail calls to imports that can block: such a call is a stable point, and its frame has to be there to make it again. */

import { canBlock } from '../../runtime/abi/index.js';
import { refuse, unsupportedInstruction } from '../diagnostics.js';
import type { Expr } from './binaryen.js';
import { bodyOfTry } from './exceptions.js';
import { callTarget, childrenOf, isTailCall, kindOf, none } from './expressions.js';
import type { IrModule } from './module.js';
import { rewrite, some } from './walk.js';

/**
 *     (return_call $wasi.fd_read ...)     becomes     (return (call $wasi.fd_read ...))
 *
 * @throws {CompileError} `unsupported/instruction` inside `try`, where the one leaves it and the other does not
 */
export function keepFramesOfHostCalls(module: IrModule): void {
  const { make } = module;
  const blocking = new Map(
    module
      .functions()
      .filter(({ imported }) => imported !== undefined && canBlock(imported.module, imported.base))
      .map((fn) => [fn.name, fn]),
  );
  if (blocking.size === 0) return;
  const isBlockingTail = (expr: Expr): boolean =>
    kindOf(expr) === 'Call' && isTailCall(expr) && blocking.has(callTarget(expr));
  for (const fn of module.definedFunctions()) {
    if (!some(module.body(fn), isBlockingTail)) continue;
    const inTry = (expr: Expr): boolean => kindOf(expr) === 'Try' && some(bodyOfTry(expr), isBlockingTail);
    if (some(module.body(fn), inTry)) {
      refuse(unsupportedInstruction(fn.name, 'a tail call inside try to an import that can block'));
    }
    const body = rewrite(module.body(fn), (expr) => {
      const callee = isBlockingTail(expr) ? blocking.get(callTarget(expr)) : undefined;
      if (callee === undefined) return expr;
      const call = make.call(callee.name, childrenOf(expr), callee.results);
      return callee.results === none ? make.functionBody([call, make.return()]) : make.return(call);
    });
    module.setBody(fn, body);
  }
}
