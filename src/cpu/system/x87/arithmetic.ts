/** x87's arithmetic (SDM volume 1, 8.3.5). */

import type { OperationTable } from '../operation.ts';
import type { Processor } from '../processor.ts';
import { beforeStore, begin, C0, C2, C3, DE, given, indefinite, isEmpty, isNoNumber, pop, push, raise, raised, read, setConditions, stackFault, turn, write, type Extended } from './stack.ts';
import { beginWith, widen } from './transfer.ts';

type Compute = (processor: Processor, x: Extended, y: Extended) => Extended;

const control = (processor: Processor): number => processor.registers.number('fcw');

const of = (name: 'addF80' | 'multiplyF80' | 'subtractF80' | 'divideF80'): Compute => (processor, x, y) => (
  given(processor, processor.float[name](x.upper, x.significand, y.upper, y.significand, control(processor)))
);

const reversed = (compute: Compute): Compute => (processor, x, y) => compute(processor, y, x);

/** In the order of the reg field: FADD, FMUL, (FCOM, FCOMP), FSUB, FSUBR, FDIV, FDIVR. */
const computes: readonly (Compute | undefined)[] = [
  of('addF80'), of('multiplyF80'), undefined, undefined, of('subtractF80'), reversed(of('subtractF80')), of('divideF80'), reversed(of('divideF80')),
];

/** `to` = `to` op the other, unless one of them is empty. */
function combine(processor: Processor, which: number, to: number, x: Extended | undefined, y: Extended | undefined): boolean {
  if (x === undefined || y === undefined) {
    if (!stackFault(processor, false)) return false;
    write(processor, to, indefinite);
    return true;
  }
  const result = (computes[which] as Compute)(processor, x, y);
  const stored = raised(processor);
  if (stored) write(processor, to, result);
  return stored;
}

const present = (processor: Processor, index: number): Extended | undefined => (isEmpty(processor, index) ? undefined : read(processor, index));

const divideBy = 7;

/** Whether what ST(0) raises, or that it is a NaN, comes before the partner's being denormal (SDM volume 1, 4.9.2): a division by zero does too. */
function outranksDenormal(x: Extended, which: number): boolean {
  return isNoNumber(x) || (which === divideBy && (x.upper & 0x7fff) === 0 && x.significand === 0n);
}

/** The remainder's, the scale's and the logarithms' two operands are ST(0) and ST(1). */
type Binary80 = 'remainderF80' | 'remainderNearestF80' | 'scaleF80' | 'yLog2xF80' | 'yLog2xPlus1F80' | 'arctangentF80';

const withSecond = (name: Binary80, to: 0 | 1) => (processor: Processor): void => {
  begin(processor);
  const remainder = name.startsWith('remainder');
  if (remainder) setConditions(processor, C2, 0);
  const [x, y] = [present(processor, 0), present(processor, 1)];
  let stored = x !== undefined && y !== undefined ? true : stackFault(processor, false);
  let result = indefinite;
  if (x !== undefined && y !== undefined) {
    result = given(processor, processor.float[name](x.upper, x.significand, y.upper, y.significand, control(processor)));
    const flags = processor.float.exceptionsF80(control(processor));
    // Without a number, or with an exception that is unmasked, there is no quotient: these bits of one stay.
    if (remainder && (result.upper & 0x7fff) !== 0x7fff && (flags & ~control(processor) & beforeStore) === 0) setConditions(processor, C0 | C3, 0);
    stored = raise(processor, flags);
  }
  if (!stored) return;
  write(processor, to, result);
  if (to === 1) pop(processor);
};

type Unary80 = 'squareRootF80' | 'roundF80' | 'power2F80' | 'sineF80' | 'cosineF80' | 'tangentF80';

/** ST(0) to a result; undefined when nothing is stored. */
function unary(processor: Processor, name: Unary80): Extended | undefined {
  begin(processor);
  if (/sine|tangent/.test(name)) setConditions(processor, C2, 0);
  const x = present(processor, 0);
  if (x === undefined) return stackFault(processor, false) ? indefinite : undefined;
  const result = given(processor, processor.float[name](x.upper, x.significand, control(processor)));
  return raised(processor) ? result : undefined;
}

const withOne = (name: Unary80) => (processor: Processor): void => {
  const result = unary(processor, name);
  if (result !== undefined) write(processor, 0, result);
};

const outOfRange = (processor: Processor): boolean => (processor.registers.number('fsw') & C2) !== 0;

/**
 * Two results come of one: with nothing there, or no room for the second, both are indefinite.
 * @param cleared conditions that are, then
 */
function noRoomForTwo(processor: Processor, cleared = 0): boolean {
  const empty = isEmpty(processor, 0);
  if (!empty && isEmpty(processor, 7)) return false;
  begin(processor);
  setConditions(processor, cleared, 0);
  if (stackFault(processor, !empty)) {
    write(processor, 0, indefinite);
    turn(processor, -1);
    write(processor, 0, indefinite);
  }
  return true;
}

const one: Extended = { upper: 0x3fff, significand: 1n << 63n };

/** The sign bit alone: nothing is invalid. */
const withSign = (change: (upper: number) => number) => (processor: Processor): void => {
  begin(processor);
  const x = present(processor, 0);
  if (x === undefined) {
    if (stackFault(processor, false)) write(processor, 0, indefinite);
  } else {
    write(processor, 0, { ...x, upper: change(x.upper) });
  }
};

export const x87Arithmetic: OperationTable = {
  /** reg field | format << 8, offset, segment: ST(0) and a number in memory. */
  x87WithMemory(processor, what, offset, segment) {
    const bits = beginWith(processor, Number(what >> 8n), segment, offset);
    const x = present(processor, 0);
    const { value, isDenormal } = widen(processor, Number(what >> 8n), bits);
    const counts = isDenormal && x !== undefined && !outranksDenormal(x, Number(what & 7n));
    if (!counts || raise(processor, DE)) combine(processor, Number(what & 7n), 0, x, value);
  },
  /** reg field, ST(i), where to: 0 is ST(0), 1 is ST(i), 2 is ST(i) and then a pop. */
  x87WithRegister(processor, which, register, to) {
    begin(processor);
    const index = Number(register);
    const [x, y] = [present(processor, 0), present(processor, index)];
    const stored = to === 0n ? combine(processor, Number(which), 0, x, y) : combine(processor, Number(which), index, y, x);
    if (stored && to === 2n) pop(processor);
  },
  fchs: withSign((upper) => upper ^ 0x8000),
  fabs: withSign((upper) => upper & 0x7fff),
  fsqrt: withOne('squareRootF80'),
  frndint: withOne('roundF80'),
  f2xm1: withOne('power2F80'),
  fsin: withOne('sineF80'),
  fcos: withOne('cosineF80'),
  fptan(processor) {
    if (noRoomForTwo(processor, C2)) return;
    const result = unary(processor, 'tangentF80');
    if (result === undefined) return;
    write(processor, 0, result);
    if (!outOfRange(processor)) push(processor, (result.upper & 0x7fff) === 0x7fff ? result : one);
  },
  fsincos(processor) {
    if (noRoomForTwo(processor, C2)) return;
    const x = read(processor, 0);
    const sine = unary(processor, 'sineF80');
    if (sine === undefined) return;
    write(processor, 0, sine);
    if (outOfRange(processor)) return;
    const cosine = given(processor, processor.float.cosineF80(x.upper, x.significand, control(processor)));
    push(processor, cosine);
  },
  fxtract(processor) {
    if (noRoomForTwo(processor)) return;
    begin(processor);
    const x = read(processor, 0);
    const exponent = given(processor, processor.float.exponentF80(x.upper, x.significand));
    const significand = given(processor, processor.float.significandF80(x.upper, x.significand));
    if (!raised(processor)) return;
    write(processor, 0, exponent);
    push(processor, significand);
  },
  fprem: withSecond('remainderF80', 0),
  fprem1: withSecond('remainderNearestF80', 0),
  fscale: withSecond('scaleF80', 0),
  fyl2x: withSecond('yLog2xF80', 1),
  fyl2xp1: withSecond('yLog2xPlus1F80', 1),
  fpatan: withSecond('arctangentF80', 1),
  fincstp(processor) {
    begin(processor);
    turn(processor, 1);
  },
  fdecstp(processor) {
    begin(processor);
    turn(processor, -1);
  },
};


