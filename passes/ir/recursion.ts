/** Which functions can be on the stack more than once at a time: those in a cycle of the call graph (Tarjan's algorithm). */

import { type CallGraph, isFunctionNode } from './call-graph.js';

interface Visit {
  readonly node: string;
  readonly order: number;
  /** The first node in visiting order that this one is known to lead back to. */
  low: number;
  isOnStack: boolean;
  /** Successors that are still to be looked at. */
  readonly rest: string[];
}

export function findRecursive(graph: CallGraph): ReadonlySet<string> {
  const visits = new Map<string, Visit>();
  const stack: Visit[] = [];
  const recursive = new Set<string>();

  const begin = (node: string): Visit => {
    const visit = { node, order: visits.size, low: visits.size, isOnStack: true, rest: graph.successors(node) };
    visits.set(node, visit);
    stack.push(visit);
    return visit;
  };
  const end = (visit: Visit): void => {
    if (visit.low < visit.order) return;
    const component = stack.splice(stack.lastIndexOf(visit));
    for (const { node } of component) {
      if (isFunctionNode(node) && (component.length > 1 || graph.successors(node).includes(node))) recursive.add(node);
    }
    for (const member of component) member.isOnStack = false;
  };

  for (const { name } of graph.functions()) {
    if (visits.has(name)) continue;
    const path = [begin(name)];
    for (let top = path[path.length - 1]; top !== undefined; top = path[path.length - 1]) {
      const next = top.rest.pop();
      if (next === undefined) {
        end(top);
        path.pop();
        const caller = path[path.length - 1];
        if (caller !== undefined) caller.low = Math.min(caller.low, top.low);
        continue;
      }
      const known = visits.get(next);
      if (known === undefined) path.push(begin(next));
      else if (known.isOnStack) top.low = Math.min(top.low, known.order);
    }
  }
  return recursive;
}
