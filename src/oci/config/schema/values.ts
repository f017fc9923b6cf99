/** Kinds of value that come up all over the specification. */
import { array, integer, integer64, object, record, string, stringWhere, text } from '../shape.ts';
import type { IdMapping } from '../types.ts';

export const uint32 = integer(0, 2 ** 32 - 1);
export const int64 = integer64(-(2n ** 63n), 2n ** 63n - 1n);
export const uint64 = integer64(0n, 2n ** 64n - 1n);
/** A limit of a cgroup for which -1 means none. */
export const limit = integer64(-1n, 2n ** 63n - 1n);

export const strings = array(string);
export const absolutePath = stringWhere((value) => value.startsWith('/'), 'an absolute path');
export const nonEmpty = stringWhere((value) => value !== '', 'a string that is not empty');

/** A list of CPUs or memory nodes as cpuset(7) writes it: `0-3,7`, spaces allowed, as in the specification's schema. */
export const numberList = stringWhere((value) => /^[0-9, -]*$/.test(value), 'a list such as "0-3,7"');

/** What the kernel takes as the name of a network device: dev_valid_name() in net/core/dev.c. */
export const interfaceName = stringWhere(
  (value) => /^[^/:\s]{1,15}$/.test(value) && Buffer.byteLength(value) <= 15 && value !== '.' && value !== '..',
  'a network device name (1 to 15 bytes without "/", ":" or spaces)',
);

/** An element of argv or of an environment; `NAME=value`. */
export const variable = stringWhere((value) => value.indexOf('=') > 0, 'NAME=value');

/** Names of properties that become names of files or devices: nothing that could lead elsewhere. */
export const fileName = stringWhere((value) => /^[^/\s]+$/.test(value) && value !== '.' && value !== '..', 'a file name without "/"');

export const annotations = record(stringWhere((value) => value !== '', 'not empty'), text);

export const idMapping = object<IdMapping>({ containerID: uint32, hostID: uint32, size: uint32 });
