import { runFlags } from '../everyday/flags.ts';
import { command, type Command, type Program } from '../vocabulary/flags.ts';
import { globalFlags } from './context.ts';

const image = { min: 1, max: Infinity, stopAtFirst: true } as const;

/** Forgets the types of a command's own flags, which only its module needs. */
function row(declared: unknown): Command {
  return declared as Command;
}

/** Every command of `delos`, in the order in which help lists them. */
const commands: readonly Command[] = [
  row(command<typeof runFlags, typeof globalFlags>({
    name: 'run', summary: 'Make a container and run a command in it', usage: 'run [OPTIONS] IMAGE [COMMAND] [ARG...]', flags: runFlags, positional: image,
    examples: ['delos run host id', 'delos run -it --rm host sh', 'delos run -d --name web --memory 64m ./rootfs /bin/server'],
    load: () => import('./run.ts'),
  })),
  row(command<readonly [], typeof globalFlags>({
    name: 'settle', summary: 'Clear up after a container that has ended', usage: 'settle ID', flags: [], positional: { min: 1, max: 1 }, hidden: true,
    load: () => import('./settle.ts'),
  })),
];

export const program: Program = {
  name: 'delos', summary: 'Run containers, and see how', dialect: 'pflag', globals: globalFlags, commands,
};
