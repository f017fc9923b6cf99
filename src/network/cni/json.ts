/** What a text of somebody else holds, until it is looked at. */
export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An object's member that is a string; else nothing. */
export function stringIn(object: JsonObject, name: string): string | undefined {
  const value = object[name];
  return typeof value === 'string' ? value : undefined;
}

/** The objects of a member that is a list; else none. */
export function objectsIn(object: JsonObject, name: string): JsonObject[] {
  const value = object[name];
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** The strings of a member that is a list; else none. */
export function stringsIn(object: JsonObject, name: string): string[] {
  const value = object[name];
  return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : [];
}

/** What JSON.parse says, in one line without the control characters that it quotes. */
export function jsonFault(error: unknown): string {
  return (error as Error).message.replaceAll(/\p{Cc}+/gu, ' ');
}
