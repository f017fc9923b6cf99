/** The flags of `delos volume`: docker's. */
const format = { name: 'format', type: 'string', help: "Format with a template, 'json', 'table' or 'table TEMPLATE'" } as const;

export const volumeCreateFlags = [
  { name: 'driver', short: 'd', type: 'string', default: 'local', help: 'What keeps the volume: local' },
  { name: 'label', type: 'list', value: 'map', help: 'Set metadata on the volume (key=value)' },
  { name: 'opt', short: 'o', type: 'list', value: 'map', help: 'Options of the driver; local has none' },
] as const;

export const volumeListFlags = [
  { name: 'filter', short: 'f', type: 'list', help: 'Show only those (dangling=, driver=, label=, name=)' },
  format,
  { name: 'quiet', short: 'q', type: 'bool', help: 'Only names' },
] as const;

export const volumeInspectFlags = [{ name: 'format', short: 'f', type: 'string', help: "Format with a template or 'json'" }] as const;

export const volumeRemoveFlags = [{ name: 'force', short: 'f', type: 'bool', help: 'One that is not there is no failure' }] as const;

export const volumePruneFlags = [
  { name: 'all', short: 'a', type: 'bool', help: 'All volumes that no container uses, not only those that nobody named' },
  { name: 'filter', type: 'list', help: 'Remove only those (until=, label=, label!=)' },
  { name: 'force', short: 'f', type: 'bool', help: 'Do not ask' },
] as const;
