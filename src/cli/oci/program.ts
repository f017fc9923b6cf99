import type { Program } from '../../vocabulary/flags.ts';
import { globalFlags } from './global-flags.ts';
import { checkpoint, create, exec, kill, pause, planner, refused, remove, restore, resume, run, start, state } from './lifecycle-commands.ts';
import { events, features, list, ps, spec, update } from './reporting-commands.ts';

/** runc's commands under runc's names: what podman, containerd and people expect of an OCI runtime. */
export const program: Program = {
  name: 'delos-oci',
  summary: 'An OCI container runtime',
  dialect: 'urfave',
  globals: globalFlags,
  commands: [create, run, start, state, kill, remove, exec, list, ps, pause, resume, update, events, spec, features, planner, checkpoint, restore, refused],
};
