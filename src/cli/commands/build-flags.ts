/** The flags of `delos build`. */
export const buildFlags = [
  { name: 'file', short: 'f', type: 'string', help: 'The Dockerfile, or - for stdin (CONTEXT/Dockerfile unless given)' },
  { name: 'tag', short: 't', type: 'list', value: 'name', help: 'Name of the image (NAME[:TAG])' },
  { name: 'build-arg', type: 'list', help: 'Set an ARG (NAME=value, or NAME for the value it has here)' },
  { name: 'secret', type: 'list', value: 'secret', help: 'A secret for RUN --mount=type=secret (id=NAME,src=FILE or id=NAME,env=VARIABLE)' },
  { name: 'target', type: 'string', help: 'Build this stage and what it needs, and no other' },
  { name: 'no-cache', type: 'bool', help: 'Do every step, also those that were done before' },
  { name: 'pull', type: 'bool', help: 'Ask the registries for the images of FROM, also for those that are here' },
  { name: 'network', type: 'string', help: 'Network of RUN: bridge (for root unless given), none, host, or one that was created' },
  { name: 'platform', type: 'string', value: 'os/arch', help: 'Platform of the image and of those it is based on' },
  { name: 'label', type: 'list', help: 'Set metadata on the image (key=value)' },
  { name: 'quiet', short: 'q', type: 'bool', help: 'Print only the ID of the image; output only of a command that fails' },
  { name: 'progress', type: 'string', default: 'auto', value: 'auto|plain', help: 'How to show what is done; both are a line for each step' },
  { name: 'iidfile', type: 'string', help: 'Write the ID of the image to a file' },
] as const;
