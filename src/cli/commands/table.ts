import { createFlags, runFlags } from '../../everyday/flags.ts';
import { command, type Command, type Flag, type Program } from '../../vocabulary/flags.ts';
import { buildFlags } from './build-flags.ts';
import { globalFlags } from './context.ts';
import { volumeCreateFlags, volumeInspectFlags, volumeListFlags, volumePruneFlags, volumeRemoveFlags } from './volume-flags.ts';
import { networkConnectFlags, networkCreateFlags, networkInspectFlags, networkListFlags } from './network-flags.ts';
import {
  attachFlags, doctorFlags, eventsFlags, execFlags, explainFlags, inspectFlags, killFlags, logsFlags, nsFlags, psFlags, rmFlags, startFlags, statsFlags, stopFlags,
  updateFlags,
} from './flags.ts';
import {
  commitFlags, containerPruneFlags, cpFlags, diffFlags, exportFlags, historyFlags, imagePruneFlags, imagesFlags, importFlags, loadFlags, loginFlags, pullFlags,
  pushFlags, rmiFlags, saveFlags, searchFlags, systemDfFlags, systemPruneFlags,
} from './image-flags.ts';
import { vmCommands } from './vm.ts';
import { westworldCommands } from './westworld.ts';

/** Docker has each of these as `container NAME` too. */
const aboutContainers: readonly string[] = [
  'run', 'create', 'start', 'exec', 'logs', 'attach', 'stop', 'restart', 'kill', 'rm', 'wait', 'stats', 'top', 'pause', 'unpause', 'update', 'rename', 'port',
  'export', 'commit', 'diff', 'cp',
];

/** Declares a command with the types of its flags, then forgets them: only its module needs them. */
function row<const F extends readonly Flag[]>(declared: Command<F, typeof globalFlags>): Command {
  const { name, aliases = [] } = declared;
  const spellings = aboutContainers.includes(name) ? [...aliases, `container ${name}`] : aliases;
  return command({ ...declared, ...(spellings.length > 0 && { aliases: spellings }) }) as unknown as Command;
}

const none = { min: 0, max: 0 } as const;
const one = { min: 1, max: 1 } as const;
const two = { min: 2, max: 2 } as const;
const atMostOne = { min: 0, max: 1 } as const;
const some = { min: 1, max: Infinity } as const;
const image = { min: 1, max: Infinity, stopAtFirst: true } as const;
const within = { min: 2, max: Infinity, stopAtFirst: true } as const;

/** Every command of `delos`, in the order in which help lists them. */
const commands: readonly Command[] = [
  row({
    name: 'run', summary: 'Make a container and run a command in it', usage: 'run [OPTIONS] IMAGE [COMMAND] [ARG...]', flags: runFlags, positional: image,
    examples: ['delos run host id', 'delos run -it --rm host sh', 'delos run -d --name web --memory 64m ./rootfs /bin/server'],
    load: () => import('./run.ts'),
  }),
  row({ name: 'create', summary: 'Make a container', usage: 'create [OPTIONS] IMAGE [COMMAND] [ARG...]', flags: createFlags, positional: image, load: () => import('./create.ts') }),
  row({ name: 'start', summary: 'Start containers', usage: 'start [OPTIONS] CONTAINER [CONTAINER...]', flags: startFlags, positional: some, load: () => import('./start.ts') }),
  row({ name: 'ps', aliases: ['ls', 'list', 'container ls', 'container ps', 'container list'], summary: 'List containers', usage: 'ps [OPTIONS]', flags: psFlags, positional: none, load: () => import('./ps.ts') }),
  row({ name: 'exec', summary: 'Run one more command in a container', usage: 'exec [OPTIONS] CONTAINER COMMAND [ARG...]', flags: execFlags, positional: within, load: () => import('./exec.ts') }),
  row({ name: 'logs', summary: 'Show what a container has written', usage: 'logs [OPTIONS] CONTAINER', flags: logsFlags, positional: one, load: () => import('./logs.ts') }),
  row({ name: 'attach', summary: 'Join the terminal, or stdin and the output, of a container', usage: 'attach [OPTIONS] CONTAINER', flags: attachFlags, positional: one, load: () => import('./attach.ts') }),
  row({ name: 'stop', summary: 'Stop containers', usage: 'stop [OPTIONS] CONTAINER [CONTAINER...]', flags: stopFlags, positional: some, load: () => import('./stop.ts') }),
  row({ name: 'restart', summary: 'Stop containers and start them again', usage: 'restart [OPTIONS] CONTAINER [CONTAINER...]', flags: stopFlags, positional: some, load: () => import('./restart.ts') }),
  row({ name: 'kill', summary: 'Send a signal to containers', usage: 'kill [OPTIONS] CONTAINER [CONTAINER...]', flags: killFlags, positional: some, load: () => import('./kill.ts') }),
  row({ name: 'rm', aliases: ['remove'], summary: 'Remove containers', usage: 'rm [OPTIONS] CONTAINER [CONTAINER...]', flags: rmFlags, positional: some, load: () => import('./rm.ts') }),
  row({ name: 'wait', summary: 'Wait until containers have ended, and print their exit codes', usage: 'wait CONTAINER [CONTAINER...]', flags: [], positional: some, load: () => import('./wait.ts') }),
  row({ name: 'inspect', summary: 'Show all that is known of containers and images', usage: 'inspect [OPTIONS] CONTAINER|IMAGE [CONTAINER|IMAGE...]', flags: inspectFlags, positional: some, load: () => import('./inspect.ts') }),
  row({ name: 'stats', summary: 'Show what containers use', usage: 'stats [OPTIONS] [CONTAINER...]', flags: statsFlags, positional: { min: 0, max: Infinity }, load: () => import('./stats.ts') }),
  row({ name: 'top', summary: 'Show the processes of a container', usage: 'top CONTAINER [PS OPTIONS]', flags: [], positional: image, load: () => import('./top.ts') }),
  row({
    name: 'events', summary: 'Show what happens to containers, images and networks', usage: 'events [OPTIONS]', flags: eventsFlags, positional: none,
    examples: ['delos events --since 10m --filter event=die'], load: () => import('./events.ts'),
  }),
  row({ name: 'pause', summary: 'Make containers stand still', usage: 'pause CONTAINER [CONTAINER...]', flags: [], positional: some, load: () => import('./pause.ts') }),
  row({ name: 'unpause', summary: 'Let paused containers go on', usage: 'unpause CONTAINER [CONTAINER...]', flags: [], positional: some, load: () => import('./unpause.ts') }),
  row({ name: 'update', summary: 'Change the limits of containers', usage: 'update [OPTIONS] CONTAINER [CONTAINER...]', flags: updateFlags, positional: some, load: () => import('./update.ts') }),
  row({ name: 'rename', summary: 'Rename a container', usage: 'rename CONTAINER NAME', flags: [], positional: two, load: () => import('./rename.ts') }),
  row({
    name: 'build', aliases: ['image build'], summary: 'Build an image as a Dockerfile says', usage: 'build [OPTIONS] CONTEXT|-', flags: buildFlags, positional: one,
    examples: ['delos build -t web .', 'delos build -f site/Dockerfile --target test --build-arg VERSION=2 site'], load: () => import('./build.ts'),
  }),
  row({ name: 'pull', aliases: ['image pull'], summary: 'Get an image from its registry', usage: 'pull [OPTIONS] NAME[:TAG|@DIGEST]', flags: pullFlags, positional: one, load: () => import('./pull.ts') }),
  row({ name: 'push', aliases: ['image push'], summary: 'Send an image to its registry', usage: 'push [OPTIONS] NAME[:TAG]', flags: pushFlags, positional: one, load: () => import('./push.ts') }),
  row({ name: 'images', aliases: ['image ls', 'image list'], summary: 'List images', usage: 'images [OPTIONS] [REPOSITORY[:TAG]]', flags: imagesFlags, positional: atMostOne, load: () => import('./images.ts') }),
  row({ name: 'tag', aliases: ['image tag'], summary: 'Give an image another name', usage: 'tag IMAGE NAME[:TAG]', flags: [], positional: two, load: () => import('./tag.ts') }),
  row({ name: 'rmi', aliases: ['image rm', 'image remove'], summary: 'Remove images', usage: 'rmi [OPTIONS] IMAGE [IMAGE...]', flags: rmiFlags, positional: some, load: () => import('./rmi.ts') }),
  row({ name: 'history', aliases: ['image history'], summary: 'Show how an image came to be', usage: 'history [OPTIONS] IMAGE', flags: historyFlags, positional: one, load: () => import('./history.ts') }),
  row({ name: 'save', aliases: ['image save'], summary: 'Write images to an archive', usage: 'save [OPTIONS] IMAGE [IMAGE...]', flags: saveFlags, positional: some, load: () => import('./save.ts') }),
  row({ name: 'load', aliases: ['image load'], summary: 'Read images from an archive or a folder', usage: 'load [OPTIONS]', flags: loadFlags, positional: none, load: () => import('./load.ts') }),
  row({ name: 'import', aliases: ['image import'], summary: 'Make an image of an archive of a root file system', usage: 'import [OPTIONS] FILE|- [NAME[:TAG]]', flags: importFlags, positional: { min: 1, max: 2 }, load: () => import('./import.ts') }),
  row({ name: 'export', summary: "Write a container's root file system to an archive", usage: 'export [OPTIONS] CONTAINER', flags: exportFlags, positional: one, load: () => import('./export.ts') }),
  row({ name: 'commit', summary: 'Make an image of what a container has changed', usage: 'commit [OPTIONS] CONTAINER [NAME[:TAG]]', flags: commitFlags, positional: { min: 1, max: 2 }, load: () => import('./commit.ts') }),
  row({ name: 'diff', summary: 'Show what a container has changed of its image', usage: 'diff [OPTIONS] CONTAINER', flags: diffFlags, positional: one, load: () => import('./diff.ts') }),
  row({
    name: 'cp', summary: 'Copy files into a container or out of it', usage: 'cp [OPTIONS] CONTAINER:PATH PATH|-  or  cp [OPTIONS] PATH|- CONTAINER:PATH', flags: cpFlags, positional: two,
    examples: ['delos cp web:/etc/passwd .', 'delos cp site/. web:/srv'], load: () => import('./cp.ts'),
  }),
  row({ name: 'login', summary: 'Log in to a registry', usage: 'login [OPTIONS] [REGISTRY]', flags: loginFlags, positional: atMostOne, load: () => import('./login.ts') }),
  row({ name: 'logout', summary: 'Forget the password of a registry', usage: 'logout [REGISTRY]', flags: [], positional: atMostOne, load: () => import('./logout.ts') }),
  row({ name: 'search', summary: 'Look for images that are here', usage: 'search [OPTIONS] TERM', flags: searchFlags, positional: one, load: () => import('./search.ts') }),
  row({ name: 'image inspect', summary: 'Show all that is known of images', usage: 'image inspect [OPTIONS] IMAGE [IMAGE...]', flags: inspectFlags, positional: some, load: () => import('./inspect.ts') }),
  row({ name: 'image prune', summary: 'Remove images that are not needed', usage: 'image prune [OPTIONS]', flags: imagePruneFlags, positional: none, load: () => import('./image-prune.ts') }),
  row({ name: 'container inspect', summary: 'Show all that is known of containers', usage: 'container inspect [OPTIONS] CONTAINER [CONTAINER...]', flags: inspectFlags, positional: some, load: () => import('./inspect.ts') }),
  row({ name: 'container prune', summary: 'Remove containers that do not run', usage: 'container prune [OPTIONS]', flags: containerPruneFlags, positional: none, load: () => import('./container-prune.ts') }),
  row({ name: 'system df', summary: 'Show what images, containers and volumes take of the disk', usage: 'system df [OPTIONS]', flags: systemDfFlags, positional: none, load: () => import('./system-df.ts') }),
  row({ name: 'system start', summary: 'Start the containers whose restart policy wants it, as after a reboot', usage: 'system start', flags: [], positional: none, load: () => import('./system-start.ts') }),
  row({ name: 'system prune', summary: 'Remove all that is not needed', usage: 'system prune [OPTIONS]', flags: systemPruneFlags, positional: none, load: () => import('./system-prune.ts') }),
  row({
    name: 'explain run', summary: 'Print every system call of a run and its reason, and run nothing', usage: 'explain run [OPTIONS] IMAGE [COMMAND] [ARG...]',
    flags: explainFlags, positional: image, examples: ['delos explain run --memory 64m host true'], load: () => import('./explain.ts'),
  }),
  row({ name: 'port', summary: 'Show the published ports of a container', usage: 'port CONTAINER [PORT[/PROTOCOL]]', flags: [], positional: { min: 1, max: 2 }, load: () => import('./port.ts') }),
  row({ name: 'network create', summary: 'Make a network', usage: 'network create [OPTIONS] NETWORK', flags: networkCreateFlags, positional: one, load: () => import('./network-create.ts') }),
  row({ name: 'network ls', aliases: ['network list'], summary: 'List networks', usage: 'network ls [OPTIONS]', flags: networkListFlags, positional: none, load: () => import('./network-ls.ts') }),
  row({ name: 'network inspect', summary: 'Show all that is known of networks', usage: 'network inspect [OPTIONS] NETWORK [NETWORK...]', flags: networkInspectFlags, positional: some, load: () => import('./network-inspect.ts') }),
  row({ name: 'network connect', summary: 'Connect a container to a network', usage: 'network connect [OPTIONS] NETWORK CONTAINER', flags: networkConnectFlags, positional: two, load: () => import('./network-connect.ts') }),
  row({ name: 'network disconnect', summary: 'Take a container out of a network', usage: 'network disconnect NETWORK CONTAINER', flags: [], positional: two, load: () => import('./network-disconnect.ts') }),
  row({ name: 'network rm', aliases: ['network remove'], summary: 'Remove networks', usage: 'network rm NETWORK [NETWORK...]', flags: [], positional: some, load: () => import('./network-rm.ts') }),
  row({ name: 'network prune', summary: 'Remove networks that no container wants', usage: 'network prune', flags: [], positional: none, load: () => import('./network-prune.ts') }),
  row({ name: 'network serve', summary: 'Answer for the names of a network', usage: 'network serve NETWORK', flags: [], positional: one, hidden: true, load: () => import('./network-serve.ts') }),
  row({ name: 'network trace', summary: 'Show the rules and counters that the packets of a container pass', usage: 'network trace CONTAINER', flags: [], positional: one, load: () => import('./network-trace.ts') }),
  row({ name: 'volume create', summary: 'Make a volume', usage: 'volume create [OPTIONS] [VOLUME]', flags: volumeCreateFlags, positional: atMostOne, load: () => import('./volume-create.ts') }),
  row({ name: 'volume ls', aliases: ['volume list'], summary: 'List volumes', usage: 'volume ls [OPTIONS]', flags: volumeListFlags, positional: none, load: () => import('./volume-ls.ts') }),
  row({ name: 'volume inspect', summary: 'Show all that is known of volumes', usage: 'volume inspect [OPTIONS] VOLUME [VOLUME...]', flags: volumeInspectFlags, positional: some, load: () => import('./volume-inspect.ts') }),
  row({ name: 'volume rm', aliases: ['volume remove'], summary: 'Remove volumes that no container uses', usage: 'volume rm [OPTIONS] VOLUME [VOLUME...]', flags: volumeRemoveFlags, positional: some, load: () => import('./volume-rm.ts') }),
  row({ name: 'volume prune', summary: 'Remove all volumes that no container uses', usage: 'volume prune [OPTIONS]', flags: volumePruneFlags, positional: none, load: () => import('./volume-prune.ts') }),
  row({ name: 'doctor', summary: 'Say what this host can do, and what would help', usage: 'doctor [OPTIONS]', flags: doctorFlags, positional: none, load: () => import('./doctor.ts') }),
  row({ name: 'ns', summary: 'List the namespaces of this host', usage: 'ns [OPTIONS]', flags: nsFlags, positional: none, load: () => import('./ns.ts') }),
  row({ name: 'ns types', summary: 'List the types of namespaces and their flags', usage: 'ns types', flags: [], positional: none, load: () => import('./ns-types.ts') }),
  row({ name: 'ns show', summary: 'Show the namespaces of a process or a container', usage: 'ns show PID|CONTAINER', flags: [], positional: one, load: () => import('./ns-show.ts') }),
  ...vmCommands,
  ...westworldCommands,
  row({ name: 'version', summary: 'Show the version', usage: 'version', flags: [], positional: none, load: () => import('./version.ts') }),
  row({ name: 'settle', summary: 'Clear up after a container that has ended, and do what comes then', usage: 'settle ID [end|now|check]', flags: [], positional: { min: 1, max: 2 }, hidden: true, load: () => import('./settle.ts') }),
];

export const program: Program = {
  name: 'delos', summary: 'Containers, and every step of them explained', dialect: 'pflag', globals: globalFlags, commands,
};
