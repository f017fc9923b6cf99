/** The flags of the commands about images, registries and what the disk holds. */
const format = { name: 'format', type: 'string', help: "Format with a template, 'json', 'table' or 'table TEMPLATE'" } as const;
const noTrunc = { name: 'no-trunc', type: 'bool', help: 'Do not shorten' } as const;
const quietIds = { name: 'quiet', short: 'q', type: 'bool', help: 'Only IDs' } as const;
const platform = { name: 'platform', type: 'string', value: 'os/arch', help: 'Platform of the image, where it has several' } as const;
const change = { name: 'change', short: 'c', type: 'list', help: "Apply a Dockerfile instruction to the image ('CMD [\"sh\"]', 'ENV A=1')" } as const;
const message = { name: 'message', short: 'm', type: 'string', help: "A comment for the image's history" } as const;
const force = { name: 'force', short: 'f', type: 'bool', help: 'Do not ask' } as const;
const allImages = { name: 'all', short: 'a', type: 'bool', help: 'All images that no container uses, not only those without a name' } as const;
const pruneFilter = { name: 'filter', type: 'list', help: 'Remove only those (until=, label=, label!=)' } as const;

export const pullFlags = [
  { name: 'all-tags', short: 'a', type: 'bool', help: 'Pull all tags of the repository' },
  platform,
  { name: 'quiet', short: 'q', type: 'bool', help: 'Only the whole name, no progress' },
] as const;

export const pushFlags = [
  { name: 'all-tags', short: 'a', type: 'bool', help: 'Push all tags of the repository that are here' },
  { name: 'quiet', short: 'q', type: 'bool', help: 'Only the whole name, no progress' },
] as const;

export const imagesFlags = [
  { name: 'all', short: 'a', type: 'bool', help: 'All images; there are no hidden ones here' },
  { name: 'digests', type: 'bool', help: 'Show digests, too' },
  { name: 'filter', short: 'f', type: 'list', help: 'Show only those (dangling=, reference=, label=, before=, since=)' },
  format,
  noTrunc,
  quietIds,
] as const;

export const historyFlags = [
  format,
  { name: 'human', short: 'H', type: 'bool', default: true, help: 'Sizes and dates as people read them' },
  noTrunc,
  quietIds,
] as const;

export const rmiFlags = [{ name: 'force', short: 'f', type: 'bool', help: 'Also an image that has several names or that containers use' }] as const;

export const saveFlags = [
  { name: 'output', short: 'o', type: 'string', help: 'Write to a file, not to stdout' },
  {
    name: 'format', type: 'string', default: 'docker-archive', value: 'docker-archive|oci-archive|oci-dir',
    help: 'An archive is both at once; oci-dir is a folder',
  },
] as const;

export const loadFlags = [
  { name: 'input', short: 'i', type: 'string', help: 'Read a file or a folder, not stdin' },
  platform,
  { name: 'quiet', short: 'q', type: 'bool', help: 'Nothing but the names; there is no progress to be left out' },
] as const;

export const importFlags = [change, message, platform] as const;

export const exportFlags = [{ name: 'output', short: 'o', type: 'string', help: 'Write to a file, not to stdout' }] as const;

export const commitFlags = [
  { name: 'author', short: 'a', type: 'string', help: 'Who made it' },
  change,
  message,
  { name: 'pause', short: 'p', type: 'bool', default: true, help: 'Let the container stand still meanwhile' },
  { name: 'quiet', short: 'q', type: 'bool', help: 'Nothing but the ID; there is no progress to be left out' },
] as const;

export const diffFlags = [{ name: 'format', type: 'string', value: 'json', help: 'As JSON' }] as const;

export const cpFlags = [
  { name: 'archive', short: 'a', type: 'bool', help: 'Keep owners' },
  { name: 'follow-link', short: 'L', type: 'bool', help: 'Copy what a link in SOURCE leads to' },
  { name: 'quiet', short: 'q', type: 'bool', help: 'There is no progress to be left out' },
] as const;

export const loginFlags = [
  { name: 'username', short: 'u', type: 'string', help: 'User name' },
  { name: 'password', short: 'p', type: 'string', help: 'Password; others can see it in the list of processes' },
  { name: 'password-stdin', type: 'bool', help: 'Read the password from stdin' },
] as const;

export const searchFlags = [format, noTrunc, { name: 'limit', type: 'int', default: 25, help: 'Show at most so many' }] as const;

export const systemDfFlags = [format] as const;

export const imagePruneFlags = [allImages, pruneFilter, force] as const;

export const containerPruneFlags = [force, pruneFilter] as const;

export const systemPruneFlags = [allImages, pruneFilter, force] as const;
