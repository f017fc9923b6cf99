/** Bytes that came as a netlink message are none. */
export class MalformedMessage extends Error {
  override readonly name = 'MalformedMessage';
}
