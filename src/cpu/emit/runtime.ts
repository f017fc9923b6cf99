/**
 * The functions that all emitted code shares, in one module: the loop, the flags, addresses in their general form, jumps.
 * What they cannot do they ask of the engine, in JavaScript ({@link EngineFunctions}).
 */

import { arithmeticFlags, conditions, RFLAGS, type Condition } from '../builder.ts';
import {
  CODE_TLB, CODE_TLB_ENTRIES, EXIT, FLAGS, internalOffset, RECORD, RECORD_BITS, RECORD_SIZE, STATE, stateOffset, USER_TAG,
} from '../layout.ts';
import { segmentRegisters } from '../state.ts';
import { Code } from '../wasm/code.ts';
import { ModuleWriter, type MemoryLimits } from '../wasm/module.ts';
import { buildLoop } from './loop.ts';
import type { Shape } from './shape.ts';
import { engineFunctions, handlerSignature, signatureOf, signatures, type RuntimeFunction } from './signatures.ts';

const at = (name: Parameters<typeof internalOffset>[0]): number => STATE + internalOffset(name);

/** Reads a member of internal or cpu_state. */
const load = (code: Code, name: Parameters<typeof internalOffset>[0], access = 'i64.load'): Code => code.i32(0).access(access, at(name));
const rflags = (code: Code): Code => code.i32(0).access('i32.load', STATE + stateOffset('rflags'));

/** The second operand: of an addition result less first, of a subtraction first less result. */
function secondOperand(code: Code, kind: 'add' | 'sub'): Code {
  return kind === 'add' ? load(load(code, 'flagResult'), 'flagX').op('i64.sub') : load(load(code, 'flagX'), 'flagResult').op('i64.sub');
}

const kindIs = (code: Code, kind: keyof typeof FLAGS): Code => load(code, 'flagKind', 'i32.load').i32(FLAGS[kind]).op('i32.eq');

/** Puts bit 63 of the value on the stack to a flag's place, as an i32. */
const topTo = (code: Code, place: number): Code => code.i64(63n).op('i64.shr_u', 'i32.wrap_i64').i32(Math.log2(place)).op('i32.shl');

function flagsFunction(): Code {
  const code = new Code(0);
  const [x, y, result] = [code.local('i64'), code.local('i64'), code.local('i64')];
  const [kind, found, low] = [code.local('i32'), code.local('i32'), code.local('i32')];
  load(code, 'flagKind', 'i32.load').tee(kind).op('i32.eqz').if();
  rflags(code).i32(arithmeticFlags).op('i32.and', 'return').end();
  load(code, 'flagResult').set(result);
  load(code, 'flagX').set(x);
  // Zero, sign, parity.
  code.get(result).op('i64.eqz').i32(6).op('i32.shl');
  topTo(code.get(result), RFLAGS.SF).op('i32.or');
  load(code.get(result), 'flagShift', 'i64.load32_u').op('i64.shr_u', 'i32.wrap_i64').tee(low);
  code.i32(0xff).op('i32.and', 'i32.popcnt').i32(1).op('i32.and').i32(1).op('i32.xor').i32(2).op('i32.shl', 'i32.or').set(found);
  code.get(kind).i32(FLAGS.logic).op('i32.eq').if().get(found).op('return').end();
  load(code.get(kind).i32(FLAGS.given).op('i32.eq').if().get(found), 'carry', 'i32.load').op('i32.or', 'return').end();
  const isSub = code.local('i32');
  code.get(kind).i32(FLAGS.sub).op('i32.eq').get(kind).i32(FLAGS.dec).op('i32.eq', 'i32.or').set(isSub);
  code.get(x).get(result).op('i64.sub').get(result).get(x).op('i64.sub').get(isSub).op('select').set(y);
  // AF: the carry into bit 4 is what distinguishes the sum from the exclusive or.
  load(code.get(x).get(y).op('i64.xor').get(result).op('i64.xor'), 'flagShift', 'i64.load32_u').op('i64.shr_u', 'i32.wrap_i64').i32(RFLAGS.AF).op('i32.and');
  // OF: operands of a sum have one sign and the result another; of a difference the operands differ.
  code.get(x).get(result).op('i64.xor').get(x).get(y).op('i64.xor').get(y).get(result).op('i64.xor').get(isSub).op('select', 'i64.and');
  topTo(code, RFLAGS.OF).op('i32.or').get(found).op('i32.or').set(found);
  // CF, which INC and DEC leave where it was.
  code.get(kind).i32(FLAGS.inc).op('i32.ge_u').if('i32');
  load(code, 'carry', 'i32.load');
  code.else().get(x).get(y).op('i64.lt_u').get(result).get(x).op('i64.lt_u').get(isSub).op('select').end();
  return code.get(found).op('i32.or');
}

/** A condition from the operands of a subtraction, the result of a logical operation, or else all flags. */
function conditionFunction(condition: Condition, flags: number): Code {
  const code = new Code(0);
  const fromSub: Partial<Record<Condition, string>> = { b: 'i64.lt_u', be: 'i64.le_u', l: 'i64.lt_s', le: 'i64.le_s' };
  const fromLogic: Partial<Record<Condition, string>> = { be: 'i64.eq', l: 'i64.lt_s', le: 'i64.le_s' };
  if (condition === 'e' || condition === 's') {
    load(code, 'flagKind', 'i32.load').if('i32');
    load(code, 'flagResult').i64(0n).op(condition === 'e' ? 'i64.eq' : 'i64.lt_s');
    const place = condition === 'e' ? 6 : 7;
    return rflags(code.else()).i32(place).op('i32.shr_u').i32(1).op('i32.and').end();
  }
  const sub = fromSub[condition];
  if (sub !== undefined) {
    kindIs(code, 'sub').if();
    secondOperand(load(code, 'flagX'), 'sub').op(sub, 'return').end();
    kindIs(code, 'logic').if();
    const logic = fromLogic[condition];
    if (logic === undefined) code.i32(0).op('return');
    else load(code, 'flagResult').i64(0n).op(logic, 'return');
    code.end();
  }
  if (condition === 'b') {
    kindIs(code, 'add').if();
    load(load(code, 'flagResult'), 'flagX').op('i64.lt_u', 'return').end();
    load(code, 'flagKind', 'i32.load').i32(FLAGS.inc).op('i32.ge_u').if();
    load(code, 'carry', 'i32.load').i32(RFLAGS.CF).op('i32.and', 'return').end();
  }
  const all = code.local('i32');
  code.call(flags).set(all);
  const bit = (flag: number): Code => code.get(all).i32(Math.log2(flag)).op('i32.shr_u').i32(1).op('i32.and');
  switch (condition) {
    case 'o': return bit(RFLAGS.OF);
    case 'b': return bit(RFLAGS.CF);
    case 'be': return bit(RFLAGS.CF) && bit(RFLAGS.ZF).op('i32.or');
    case 'p': return bit(RFLAGS.PF);
    case 'l': return bit(RFLAGS.SF) && bit(RFLAGS.OF).op('i32.xor');
    default: return bit(RFLAGS.SF) && bit(RFLAGS.OF).op('i32.xor') && bit(RFLAGS.ZF).op('i32.or');
  }
}

/** base + (index << scale) + displacement, wrapped to the address size. */
function addressFunction(): Code {
  const code = new Code(1);
  const sum = code.local('i64');
  const bits = code.local('i32');
  const register = (slot: number): Code => code.get(0).access('i32.load16_u', slot).access('i64.load', STATE);
  register(RECORD.base);
  register(RECORD.index).get(0).access('i64.load8_u', RECORD.scale).op('i64.shl', 'i64.add');
  code.get(0).access('i64.load32_s', RECORD.displacement).op('i64.add').set(sum);
  code.get(0).access('i32.load8_u', RECORD.bits).tee(bits).i32(RECORD_BITS.address32).op('i32.and');
  code.if().get(sum).i64(0xffffffffn).op('i64.and', 'return').end();
  code.get(bits).i32(RECORD_BITS.address16).op('i32.and').if().get(sum).i64(0xffffn).op('i64.and', 'return').end();
  return code.get(sum);
}

/** Attributes that make a segment one whose limit alone decides: code or data, present, usable, not expanding down. */
const plainData = { mask: 0x1 << 8 | 0x1c | 0x80, value: 0x10 | 0x80 };

/**
 * Outside of 64-bit mode: segment base + offset, within 32 bits. Plain data segments are checked here (SDM volume 3, 5.3), the rest in JavaScript.
 */
function segmentedFunction(checkSegment: number): Code {
  const [segment, offset, size, write] = [0, 1, 2, 3];
  const code = new Code(4);
  const [attributes, place] = [code.local('i32'), code.local('i32')];
  code.get(segment).i32(4).op('i32.shl').tee(place).access('i32.load16_u', STATE + stateOffset('esAttributes')).set(attributes);
  // Type bits: 2 (writable data) is wanted for a write, and for a read too, so that execute-only code goes the long way.
  code.get(attributes).i32(plainData.mask | 0x2).op('i32.and').i32(plainData.value | 0x2).op('i32.eq');
  code.get(offset).get(size).op('i64.extend_i32_u', 'i64.add').i64(1n).op('i64.sub');
  code.get(place).access('i64.load32_u', STATE + stateOffset('esLimit')).op('i64.le_u', 'i32.and', 'i32.eqz').if();
  code.get(segment).get(offset).op('i32.wrap_i64').get(size).get(write).call(checkSegment).op('i32.eqz').if().i64(-1n).op('return').end().end();
  return code.get(offset).get(place).access('i64.load', STATE + stateOffset('esBase')).op('i64.add').i64(0xffffffffn).op('i64.and');
}

/** Counts the block that ends at the record in parameter 0 (with it if `itself`); leaves the loop at `rip` when the fuel is used up. */
function charge(code: Code, itself: boolean, leaveAt: (code: Code) => Code): void {
  const count = code.local('i32');
  load(code.get(0), 'blockStart', 'i32.load').op('i32.sub').i32(Math.log2(RECORD_SIZE)).op('i32.shr_u');
  if (itself) code.i32(1).op('i32.add');
  code.set(count);
  load(code.i32(0), 'fuel', 'i32.load').get(count).op('i32.sub').tee(count).access('i32.store', at('fuel'));
  load(code.get(count), 'floor', 'i32.load').op('i32.le_s').if();
  leaveAt(code.i32(0)).access('i64.store', STATE + stateOffset('rip'));
  code.i32(0).i32(EXIT.budget).access('i32.store', at('exit')).i32(0).op('return').end();
}

/** To RIP: by the table of its page, when the page is known and the instruction is decoded. */
function jumpFunction(itself: boolean, resolve: number): Code {
  const code = new Code(2);
  const [linear, entry, record] = [code.local('i64'), code.local('i32'), code.local('i32')];
  charge(code, itself, (each) => each.get(1));
  code.get(1).i32(0).access('i64.load', STATE + stateOffset('csBase')).op('i64.add');
  load(code, 'linearMask').op('i64.and').tee(linear);
  code.i64(12n).op('i64.shr_u', 'i32.wrap_i64').i32(CODE_TLB_ENTRIES - 1).op('i32.and').i32(4).op('i32.shl').tee(entry).access('i64.load', CODE_TLB);
  load(code.get(linear).i64(-4096n).op('i64.and'), 'mode').i64(BigInt(USER_TAG)).op('i64.and', 'i64.or', 'i64.eq').if();
  code.get(entry).access('i32.load', CODE_TLB + 8).get(linear).op('i32.wrap_i64').i32(4095).op('i32.and').i32(2).op('i32.shl', 'i32.add').access('i32.load').tee(record).if();
  code.i32(0).get(1).get(linear).i64(4095n).op('i64.and', 'i64.sub').access('i64.store', at('pageBase'));
  code.i32(0).get(record).access('i32.store', at('blockStart')).get(record).op('return').end().end();
  return code.get(1).call(resolve);
}

/** To a record of the same page. */
function linkFunction(): Code {
  const code = new Code(2);
  const rip = (each: Code): Code => load(each, 'pageBase').get(1).access('i64.load16_u', RECORD.offset).op('i64.add');
  charge(code, true, rip);
  return code.i32(0).get(1).access('i32.store', at('blockStart')).get(1);
}

/**
 * @param handlers entries of the table of handlers
 * @param frequent handlers that stand in the loop itself
 * @param operation the number of a `system` operation by its name
 */
export function buildRuntime(memory: MemoryLimits, handlers: number, frequent: readonly Shape[], operation: (name: string) => number): Uint8Array<ArrayBuffer> {
  const module = new ModuleWriter();
  module.importMemory('engine', 'memory', memory);
  module.importTable('engine', 'handlers', handlers);
  const numbers = new Map<RuntimeFunction, number>();
  for (const name of engineFunctions) numbers.set(name, module.importFunction('engine', name, signatures[name]));
  const number = (name: RuntimeFunction): number => numbers.get(name) ?? -1;
  const define = (name: RuntimeFunction, code: Code): void => {
    numbers.set(name, module.function(signatureOf(name), code));
    module.exportFunction(name, number(name));
  };
  define('flags', flagsFunction());
  for (const condition of conditions.filter((_, at) => at % 2 === 0)) define(`is_${condition}`, conditionFunction(condition, number('flags')));
  define('address', addressFunction());
  define('segmented', segmentedFunction(number('checkSegment')));
  define('jump', jumpFunction(true, number('resolve')));
  define('pass', jumpFunction(false, number('resolve')));
  define('link', linkFunction());
  define('leave', new Code(1).i32(0).get(0).access('i32.store', at('record')).i32(0));
  const handler = module.type(handlerSignature);
  const helper = (name: string): number => {
    throw new Error(`the loop has no ${name}`);
  };
  define('run', buildLoop({ runtime: number, helper, operation }, frequent, handler));
  define('step', new Code(1).get(0).get(0).access('i32.load16_u', RECORD.handler).callIndirect(handler));
  return module.encode();
}

if (segmentRegisters[0] !== 'es' || RECORD_SIZE !== 32) throw new Error('segmented and charge count on the layout');
