import { NLMSGERR_ATTR_MISS_TYPE, NLMSGERR_ATTR_MSG, NLMSGERR_ATTR_OFFS, NLM_F_ACK_TLVS, NLM_F_CAPPED } from '../abi/netlink.ts';
import { errnoName } from '../abi/names.ts';
import { align } from '../lib/layout.ts';
import { Attributes, pathAt } from './attribute.ts';
import { MalformedMessage } from './malformed.ts';
import { messageHeaderSize, type Message, type Request } from './message.ts';

/** What the kernel says of a message of type NLMSG_ERROR: with errno 0 it acknowledges. netlink(7), <linux/netlink.h> "extended ACK" */
export interface Acknowledgement {
  readonly number: number;
  /** The kernel's own words. */
  readonly text?: string;
  /** The byte of the request at which the attribute begins that was refused. */
  readonly offset?: number;
  /** The type of an attribute that was missed. */
  readonly missing?: number;
}

/** @throws MalformedMessage */
export function readAcknowledgement({ payload, flags }: Message): Acknowledgement {
  const echoed = 4 + messageHeaderSize;
  if (payload.length < echoed) throw new MalformedMessage(`an acknowledgement of ${payload.length} bytes`);
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const number = Math.abs(view.getInt32(0, true));
  if ((flags & NLM_F_ACK_TLVS) === 0) return { number };
  const skipped = (flags & NLM_F_CAPPED) === 0 ? 4 + align(view.getUint32(4, true), 4) : echoed;
  if (skipped < echoed || skipped > payload.length) throw new MalformedMessage(`an acknowledgement that echoes ${skipped} of ${payload.length} bytes`);
  const details = new Attributes(payload.subarray(skipped));
  const [text, offset, missing] = [details.text(NLMSGERR_ATTR_MSG), details.u32(NLMSGERR_ATTR_OFFS), details.u32(NLMSGERR_ATTR_MISS_TYPE)];
  return { number, ...(text !== undefined && { text }), ...(offset !== undefined && { offset }), ...(missing !== undefined && { missing }) };
}

/** The kernel refused a netlink request. `message` says what, why, and which attribute. */
export class NetlinkError extends Error {
  override readonly name = 'NetlinkError';
  /** What was asked: {@link Request.what}. */
  readonly what: string;
  /** By name, and its value. */
  readonly errno: string;
  readonly number: number;
  readonly acknowledgement: Acknowledgement;

  constructor(request: Request, acknowledgement: Acknowledgement) {
    super(sentence(request, acknowledgement));
    this.what = request.what;
    this.number = acknowledgement.number;
    this.errno = errnoName(acknowledgement.number);
    this.acknowledgement = acknowledgement;
  }
}

function sentence(request: Request, { number, text, offset, missing }: Acknowledgement): string {
  const said = text === undefined ? '' : `: ${text}`;
  const path = offset === undefined ? undefined : pathAt(request.attributes, offset - messageHeaderSize - request.header.length);
  const where = path === undefined ? '' : ` (attribute ${path.join('.')})`;
  const missed = missing === undefined ? '' : ` (attribute ${missing} is missing)`;
  return `cannot ${request.what}: ${errnoName(number)}${said}${where}${missed}`;
}
