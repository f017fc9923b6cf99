/** A place in a program; it takes no room. */
export interface Label {
  readonly label: string;
}

export function label(name: string): Label {
  return { label: name };
}
