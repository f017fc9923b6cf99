// The library types do not know it yet; V8 has had it since Node 21.
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };

/** JSON in which a bigint is a number with all its digits: what parseJson of src/oci/config/json.ts reads back exactly. */
export function jsonText(value: unknown, indent?: string | number): string {
  return JSON.stringify(value, (_, member: unknown) => (typeof member === 'bigint' ? rawJSON(String(member)) : member), indent);
}
