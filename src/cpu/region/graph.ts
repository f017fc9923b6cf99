/** The instructions around an offset in a page, as far as they reach one another by jumps whose targets stand in the code. */

import { decode, type CodeSize, type Decoded } from '../decode.ts';

export interface Step {
  /** In the page. */
  readonly offset: number;
  readonly decoded: Decoded;
  /** The offset behind it. */
  readonly next: number;
}

/** Instructions that are executed one behind the other. */
export interface Block {
  readonly offset: number;
  readonly steps: readonly Step[];
  /** Offsets of blocks of the same region that it leads to: without a jump at the end there is one. */
  readonly successors: readonly number[];
}

const longest = 15;
const pageSize = 4096;

/** Where a jump within the page goes, if the instruction is one. A call comes back by another way. */
function targetOf({ decoded: { instruction, operands, operandSize }, next }: Step): number | undefined {
  const [distance] = operands;
  if (distance?.kind !== 'immediate' || !instruction.operands[0]?.startsWith('J') || instruction.name === 'CALL' || operandSize === 16) return undefined;
  const target = next + Number(BigInt.asIntN(64, distance.value));
  return target >= 0 && target < pageSize ? target : undefined;
}

const jumps = ({ decoded: { instruction } }: Step): boolean => instruction.ends === true || instruction.operands[0]?.startsWith('J') === true;

export interface GraphOptions {
  readonly size: CodeSize;
  /** How many instructions at most. */
  readonly limit: number;
  /** Whether a region may hold it. */
  readonly supports: (decoded: Decoded) => boolean;
}

/** Instructions by their offsets, and the offsets that blocks begin at. */
function discover(page: Uint8Array, start: number, { size, limit, supports }: GraphOptions): { steps: Map<number, Step>; leaders: Set<number> } {
  const steps = new Map<number, Step>();
  const leaders = new Set([start]);
  const work = [start];
  for (let at = work.shift(); at !== undefined; at = work.shift()) {
    let reached = at;
    while (steps.size < limit && !steps.has(reached)) {
      const decoded = decode(page.subarray(reached, Math.min(pageSize, reached + longest)), size);
      if (typeof decoded === 'string' || !supports(decoded)) break;
      const step: Step = { offset: reached, decoded, next: reached + decoded.length };
      steps.set(reached, step);
      const target = targetOf(step);
      if (target !== undefined) {
        leaders.add(target);
        work.push(target);
      }
      if (jumps(step)) leaders.add(step.next);
      if (decoded.instruction.ends === true || step.next >= pageSize) break;
      reached = step.next;
    }
    leaders.add(reached);
  }
  return { steps, leaders };
}

function blockAt(offset: number, steps: ReadonlyMap<number, Step>, leaders: ReadonlySet<number>): Block {
  const inside: Step[] = [];
  for (let step = steps.get(offset); step !== undefined; step = leaders.has(step.next) ? undefined : steps.get(step.next)) {
    inside.push(step);
    if (jumps(step)) break;
  }
  const last = inside.at(-1) as Step;
  const onward = last.decoded.instruction.ends === true ? [] : [last.next];
  const target = targetOf(last);
  const successors = new Set([...target === undefined ? [] : [target], ...onward]);
  return { offset, steps: inside, successors: [...successors].filter((each) => steps.has(each)) };
}

/** The blocks around an offset, each with its successors. */
export function blocksAround(page: Uint8Array, start: number, options: GraphOptions): Map<number, Block> {
  const { steps, leaders } = discover(page, start, options);
  return new Map([...leaders].filter((each) => steps.has(each)).map((each) => [each, blockAt(each, steps, leaders)]));
}

/** Of blocks that are all reached from `start`, those that lead back to it: none, when it is in no loop. */
export function loopAround(blocks: ReadonlyMap<number, Block>, start: number): Map<number, Block> {
  const inside = new Set<number>();
  const predecessors = new Map<number, number[]>();
  for (const { offset, successors } of blocks.values()) {
    for (const each of successors) predecessors.set(each, [...predecessors.get(each) ?? [], offset]);
  }
  const work = [start];
  for (let at = work.pop(); at !== undefined; at = work.pop()) {
    for (const each of predecessors.get(at) ?? []) {
      if (inside.has(each)) continue;
      inside.add(each);
      work.push(each);
    }
  }
  const reached = reachable(blocks, start);
  return new Map([...blocks].filter(([offset]) => inside.has(offset) && reached.has(offset)).map(([offset, block]) => (
    [offset, { ...block, successors: block.successors.filter((each) => inside.has(each)) }]
  )));
}

function reachable(blocks: ReadonlyMap<number, Block>, start: number): Set<number> {
  const found = new Set([start]);
  for (const at of found) for (const each of blocks.get(at)?.successors ?? []) found.add(each);
  return found;
}

/** Where a loop around `start` is best entered: the nearest target of a backward jump before it, or else the first one. */
export function headOf(loop: ReadonlyMap<number, Block>, start: number): number {
  const targets = [...loop.values()].flatMap(({ offset, successors }) => successors.filter((each) => each <= offset)).sort((a, b) => a - b);
  return targets.findLast((each) => each <= start) ?? targets[0] ?? start;
}
