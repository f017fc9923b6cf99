/** config.md: the parts every platform shares. */
import { array, boolean, integer, object, optional, string, stringWhere, unlessEmpty } from '../shape.ts';
import type { Config, Hook, Hooks, Mount, Root } from '../types.ts';
import { linux } from './linux.ts';
import { process } from './process.ts';
import { absolutePath, annotations, idMapping, nonEmpty, strings, variable } from './values.ts';

/** semver.org 2.0.0, with the one major version there is. */
const VERSION = /^1\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$/;

const root = object<Root>({
  path: nonEmpty,
  readonly: optional(boolean),
});

const mount = object<Mount>({
  destination: nonEmpty,
  source: unlessEmpty(string),
  type: unlessEmpty(string),
  options: optional(strings),
  uidMappings: optional(array(idMapping)),
  gidMappings: optional(array(idMapping)),
});

const hook = object<Hook>({
  path: absolutePath,
  args: optional(strings),
  env: optional(array(variable)),
  timeout: optional(integer(1, 2 ** 31 - 1)),
});

const hooks = object<Hooks>({
  prestart: optional(array(hook)),
  createRuntime: optional(array(hook)),
  createContainer: optional(array(hook)),
  startContainer: optional(array(hook)),
  poststart: optional(array(hook)),
  poststop: optional(array(hook)),
});

export const config = object<Config>({
  ociVersion: stringWhere((value) => VERSION.test(value), 'a version 1.x.y'),
  root: optional(root),
  mounts: optional(array(mount)),
  process: optional(process),
  hostname: unlessEmpty(string),
  domainname: unlessEmpty(string),
  hooks: optional(hooks),
  annotations: optional(annotations),
  linux: optional(linux),
});
