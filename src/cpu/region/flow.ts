/** The order and the nesting of a region's blocks, by which its jumps become WebAssembly's (dominators as in Cooper, Harvey, Kennedy, 2001). */

import type { Block } from './graph.ts';

export interface Flow {
  /** Offsets; each block stands behind those that lead to it, but for the ends of loops. */
  readonly order: readonly number[];
  /** The number of a block in it. */
  readonly place: ReadonlyMap<number, number>;
  /** The blocks that one dominates directly, in order. */
  readonly children: ReadonlyMap<number, readonly number[]>;
  /** Blocks that are led back to, and blocks that are led to from several before them. */
  readonly heads: ReadonlySet<number>;
  readonly merges: ReadonlySet<number>;
  /** Where a block leads to inside the region. A loop that is entered in its middle is cut open: one of its jumps leaves the region. */
  readonly successors: ReadonlyMap<number, readonly number[]>;
}

type Edges = Map<number, readonly number[]>;

function orderFrom(start: number, edges: Edges): number[] {
  const seen = new Set<number>();
  const order: number[] = [];
  const visit = (at: number): void => {
    seen.add(at);
    for (const each of edges.get(at) ?? []) if (!seen.has(each)) visit(each);
    order.push(at);
  };
  visit(start);
  return order.toReversed();
}

/** Each block's direct dominator. */
function dominators(order: readonly number[], place: ReadonlyMap<number, number>, predecessors: ReadonlyMap<number, readonly number[]>): Map<number, number> {
  const [start = 0] = order;
  const found = new Map([[start, start]]);
  const rank = (at: number): number => place.get(at) ?? 0;
  const meet = (first: number, second: number): number => {
    let [a, b] = [first, second];
    while (a !== b) {
      if (rank(a) > rank(b)) a = found.get(a) ?? start;
      else b = found.get(b) ?? start;
    }
    return a;
  };
  for (let changed = true; changed;) {
    changed = false;
    for (const at of order.slice(1)) {
      const known = (predecessors.get(at) ?? []).filter((each) => found.has(each));
      const dominator = known.reduce(meet);
      changed ||= found.get(at) !== dominator;
      found.set(at, dominator);
    }
  }
  return found;
}

function predecessorsOf(order: readonly number[], edges: Edges): Map<number, number[]> {
  const found = new Map<number, number[]>();
  for (const from of order) for (const to of edges.get(from) ?? []) found.set(to, [...found.get(to) ?? [], from]);
  return found;
}

export function flowOf(blocks: ReadonlyMap<number, Block>, start: number): Flow {
  const edges: Edges = new Map([...blocks].map(([offset, { successors }]) => [offset, successors]));
  for (;;) {
    const order = orderFrom(start, edges);
    const place = new Map(order.map((offset, at) => [offset, at]));
    const rank = (at: number): number => place.get(at) as number;
    const predecessors = predecessorsOf(order, edges);
    const parents = dominators(order, place, predecessors);
    const dominates = (a: number, b: number): boolean => {
      let at = b;
      while (rank(at) > rank(a)) at = parents.get(at) as number;
      return at === a;
    };
    const wrong = order.flatMap((from) => (edges.get(from) ?? []).filter((to) => rank(to) <= rank(from) && !dominates(to, from)).map((to) => [from, to] as const));
    if (wrong.length === 0) return { order, place, ...nesting(order, rank, parents, predecessors), successors: edges };
    for (const [from, to] of wrong) edges.set(from, (edges.get(from) ?? []).filter((each) => each !== to));
  }
}

function nesting(
  order: readonly number[], rank: (at: number) => number, parents: ReadonlyMap<number, number>, predecessors: ReadonlyMap<number, readonly number[]>,
): Pick<Flow, 'children' | 'heads' | 'merges'> {
  const children = new Map<number, number[]>(order.map((at) => [at, []]));
  for (const at of order.slice(1)) children.get(parents.get(at) as number)?.push(at);
  const before = (at: number): readonly number[] => predecessors.get(at) ?? [];
  return {
    children,
    heads: new Set(order.filter((at) => before(at).some((each) => rank(each) >= rank(at)))),
    merges: new Set(order.filter((at) => before(at).filter((each) => rank(each) < rank(at)).length > 1)),
  };
}
