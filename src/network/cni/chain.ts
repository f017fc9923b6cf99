import { DelosError } from '../../lib/errors.ts';
import type { PublishedPort } from '../published-port.ts';
import type { Conflist } from './conflist.ts';
import type { JsonObject } from './json.ts';
import { stringIn, isObject } from './json.ts';
import { runPlugin, type CniCommand, type Invocation } from './plugin.ts';
import { isSince } from './version.ts';

/** A container's part in a network: all that its plugins are told. */
export interface CniAttachment extends Omit<Invocation, 'command'> {
  readonly conflist: Conflist;
  /** What plugins with the capability of that name are told: `portMappings`, `ips`, `mac`, `aliases`. conventions of the CNI project */
  readonly wishes: JsonObject;
}

/**
 * Runs the plugins of a network in their order, each told of what those before it have done. When one fails, all are told to take back.
 * @returns the last one's result
 * @throws DelosError plugin-failed, bad-network when a wish is left to no plugin
 */
export async function addChain(attachment: CniAttachment): Promise<JsonObject> {
  const { conflist, wishes } = attachment;
  for (const wish of Object.keys(wishes)) {
    if (!conflist.plugins.some((plugin) => hasCapability(plugin, wish))) throw new DelosError('bad-network', `network ${conflist.name}: none of its plugins has the capability ${wish}`);
  }
  let result: JsonObject | undefined;
  try {
    for (const plugin of conflist.plugins) result = (await runLink(attachment, 'ADD', plugin, result)) ?? result;
  } catch (error) {
    await deleteChain(attachment, undefined).catch(() => undefined);
    throw error;
  }
  return result ?? { cniVersion: conflist.cniVersion };
}

/**
 * Runs the plugins in the reverse of their order. Every one is, so that as little as possible is left; may be repeated.
 * @param result of {@link addChain}
 * @throws DelosError plugin-failed of the first that has refused
 */
export async function deleteChain(attachment: CniAttachment, result: JsonObject | undefined): Promise<void> {
  const { conflist } = attachment;
  const previous = isSince(conflist.cniVersion, '0.4.0') ? result : undefined;
  let failure: unknown;
  for (const plugin of conflist.plugins.toReversed()) {
    try {
      await runLink(attachment, 'DEL', plugin, previous);
    } catch (error) {
      failure ??= error;
    }
  }
  if (failure !== undefined) throw failure;
}

/** Whether all is as it was made. Of a network that wants no check nothing is known. @throws DelosError plugin-failed */
export async function checkChain(attachment: CniAttachment, result: JsonObject): Promise<void> {
  const { conflist } = attachment;
  if (conflist.disableCheck || !isSince(conflist.cniVersion, '0.4.0')) return;
  for (const plugin of conflist.plugins) await runLink(attachment, 'CHECK', plugin, result);
}

function runLink(attachment: CniAttachment, command: CniCommand, plugin: JsonObject, previous: JsonObject | undefined): Promise<JsonObject | undefined> {
  const { conflist: { name, cniVersion }, wishes } = attachment;
  const { capabilities: _, ...own } = plugin;
  const granted = Object.fromEntries(Object.entries(wishes).filter(([wish]) => hasCapability(plugin, wish)));
  const configuration = {
    ...own, name, cniVersion, ...(Object.keys(granted).length > 0 && { runtimeConfig: granted }), ...(previous !== undefined && { prevResult: previous }),
  };
  return runPlugin(stringIn(plugin, 'type') ?? '', { ...attachment, command }, configuration);
}

function hasCapability({ capabilities }: JsonObject, name: string): boolean {
  return isObject(capabilities) && capabilities[name] === true;
}

/** Published ports as plugins are told of them. conventions of the CNI project, "portMappings" */
export function portMappings(ports: readonly PublishedPort[]): JsonObject[] {
  return ports.map(({ protocol, hostAddress, hostPort, containerPort }) => ({
    hostPort, containerPort, protocol, ...(hostAddress !== undefined && hostAddress !== '' && { hostIP: hostAddress }),
  }));
}
