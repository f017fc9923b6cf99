import { DelosError } from '../lib/errors.ts';
import { parseInteger, parseSize } from './units.ts';

export interface DeviceFlag {
  readonly source: string;
  readonly target: string;
  /** Letters out of `rwm`. */
  readonly access: string;
}

const isAccess = (text: string): boolean => /^[rwm]+$/.test(text) && new Set(text).size === text.length;

function invalid(flag: string, text: string, expected: string): DelosError {
  return new DelosError('bad-usage', `invalid --${flag} '${text}': ${expected}`);
}

/** `--device /dev/x[:/dev/y][:rwm]`; the path inside is by default the one outside, the access `rwm`. Throws `bad-usage`. */
export function parseDevice(text: string): DeviceFlag {
  const [source = '', second, third, ...more] = text.split(':');
  const secondIsAccess = second !== undefined && third === undefined && isAccess(second);
  const target = second === undefined || secondIsAccess ? source : second;
  const access = (secondIsAccess ? second : third) ?? 'rwm';
  if (!source.startsWith('/') || !target.startsWith('/') || !isAccess(access) || more.length > 0) {
    throw invalid('device', text, 'expected /dev/x[:/dev/y][:rwm]');
  }
  return { source, target, access };
}

export interface DeviceRuleFlag {
  readonly type: 'a' | 'b' | 'c';
  /** -1 for every number. */
  readonly major: number;
  readonly minor: number;
  readonly access: string;
}

/** `--device-cgroup-rule 'c 1:3 rwm'`; `*` stands for every number. Throws `bad-usage`. */
export function parseDeviceRule(text: string): DeviceRuleFlag {
  const match = /^([abc]) (\d+|\*):(\d+|\*) ([rwm]{1,3})$/.exec(text);
  const [, type = '', major = '', minor = '', access = ''] = match ?? [];
  if ((type !== 'a' && type !== 'b' && type !== 'c') || !isAccess(access)) throw invalid('device-cgroup-rule', text, "expected 'type major:minor rwm', such as 'c 1:3 mr'");
  return { type, major: deviceNumber(major), minor: deviceNumber(minor), access };
}

function deviceNumber(digits: string): number {
  return digits === '*' ? -1 : parseInteger(digits);
}

export interface DeviceRate {
  readonly path: string;
  /** Bytes or operations a second, or a weight. */
  readonly rate: number;
}

/** `--device-read-bps /dev/sda:1mb` (`bytes`), `--device-read-iops /dev/sda:1000`, `--blkio-weight-device /dev/sda:200`. Throws `bad-usage`. */
export function parseDeviceRate(flag: string, text: string, unit: 'bytes' | 'number'): DeviceRate {
  const match = /^(\/dev\/[^:]+):([^:]+)$/.exec(text);
  if (match === null) throw invalid(flag, text, `expected /dev/x:${unit === 'bytes' ? 'size' : 'number'}`);
  const [, path = '', rate = ''] = match;
  const value = unit === 'bytes' ? parseSize(rate) : parseInteger(rate);
  if (value < 0) throw invalid(flag, text, 'the rate is negative');
  return { path, rate: value };
}
