import type { Container } from '../../containers/container.ts';
import type { RunConfig } from '../../images/config-change.ts';
import type { Config } from '../../oci/config/types.ts';

/** Variables that every container gets of its own. */
const ofEachContainer = ['HOSTNAME', 'HOME', 'TERM'];

/**
 * What an image of this container wants to be run with: as the container was, flags included.
 * @param image what the container's image wants
 */
export function containerConfig({ command, flags, labels }: Container, config: Config, image: RunConfig): RunConfig {
  const asked = new Set([...(image.Env ?? []), ...listOf(flags['env'])].map((entry) => entry.split('=')[0] ?? ''));
  const env = (config.process?.env ?? []).filter((entry) => {
    const name = entry.split('=')[0] ?? '';
    return asked.has(name) || !ofEachContainer.includes(name);
  });
  const { user, workdir } = flags;
  const { Entrypoint = [], Cmd: _, ...rest } = image;
  return {
    ...rest, ...commandOf(command, flags['entrypoint'], Entrypoint), Env: env,
    ...(typeof user === 'string' && { User: user }), ...(typeof workdir === 'string' && { WorkingDir: workdir }),
    ...(Object.keys(labels).length > 0 && { Labels: labels }),
  };
}

function commandOf(command: readonly string[], flag: unknown, entrypoint: readonly string[]): Pick<RunConfig, 'Cmd' | 'Entrypoint'> {
  const begin = typeof flag === 'string' ? (flag === '' ? [] : [flag]) : entrypoint;
  const rest = begin.every((word, at) => command[at] === word) ? command.slice(begin.length) : command;
  return { ...(begin.length > 0 && { Entrypoint: begin }), Cmd: rest };
}

function listOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
