/** What libbpf does not ask of rtnetlink: which qdisc is at the ingress hook, and how many filters it holds. (rtnetlink(7)) */
import { kernelError } from './error.ts';
import { lastErrno, libc } from './libbpf.ts';

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const NETLINK_ROUTE = 0;
const RTM_NEWQDISC = 36;
const RTM_GETQDISC = 38;
const RTM_NEWTFILTER = 44;
const RTM_GETTFILTER = 46;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
/** With echo, without which the kernel tells a qdisc to listeners only, and acknowledgement, where there is none. */
const NLM_F_REQUEST_ONE = 0x1 | 0x4 | 0x8;
const NLM_F_REQUEST_DUMP = 0x1 | 0x300;
/** Of struct nlmsghdr and struct tcmsg; attributes follow. */
const HEADER_OCTETS = 36;
const TCA_KIND = 1;
/** The parent of what is at the ingress hook, be it `ingress` or `clsact`. */
const TC_H_INGRESS = 0xffff_fff1;
/** tc handles ffff:fff2 and ffff:fff3: the two sides of clsact. */
const PARENTS = [0xffff_fff2, 0xffff_fff3];

/** Filters of any kind on both sides of an interface's clsact qdisc; undefined when the interface or the qdisc is gone. */
export function countFilters(ifindex: number): number | undefined {
  const counts = PARENTS.map((parent) => countAt(ifindex, parent));
  return counts.includes(undefined)
    ? undefined
    : counts.reduce<number>((sum, count) => sum + (count ?? 0), 0);
}

/** The kind of the qdisc at an interface's ingress hook, `ingress` or `clsact`; undefined when there is none. */
export function ingressQdisc(ifindex: number): string | undefined {
  const type = RTM_GETQDISC;
  const action = `read the qdisc of interface ${ifindex}`;
  for (const answer of answers(
    tcRequest({ type, flags: NLM_F_REQUEST_ONE, ifindex, parent: TC_H_INGRESS }),
    action,
  ))
    return answer.getUint16(4, true) === RTM_NEWQDISC ? kindIn(answer) : undefined;
  return undefined;
}

/** The attribute TCA_KIND of a message about a qdisc. */
function kindIn(message: DataView): string | undefined {
  for (let at = HEADER_OCTETS; at + 4 <= message.byteLength; ) {
    const length = message.getUint16(at, true);
    if (message.getUint16(at + 2, true) === TCA_KIND)
      return Buffer.from(message.buffer, at + 4, length - 4)
        .toString()
        .replace(/\0.*/, '');
    at += Math.max(4, (length + 3) & ~3);
  }
  return undefined;
}

function countAt(ifindex: number, parent: number): number | undefined {
  const request = tcRequest({ type: RTM_GETTFILTER, flags: NLM_F_REQUEST_DUMP, ifindex, parent });
  let count = 0;
  for (const answer of answers(request, `list the filters of interface ${ifindex}`)) {
    const part = readAnswer(answer);
    count += part.filters;
    if (part.gone) return undefined;
    if (part.done) return count;
  }
  return undefined;
}

/** Asks, and yields what comes, in a buffer that is used again, for as long as more is wanted. */
function* answers(request: Uint8Array, action: string): Generator<DataView> {
  const fd = libc().socket(AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0) throw kernelError('BPF_LINK', lastErrno(), { action: 'open a netlink socket' });
  try {
    if (libc().send(fd, request, request.byteLength, 0) < 0)
      throw kernelError('BPF_LINK', lastErrno(), { action });
    const answer = new Uint8Array(65536);
    for (;;) {
      const length = Number(libc().recv(fd, answer, answer.byteLength, 0));
      if (length <= 0) throw kernelError('BPF_LINK', lastErrno(), { action });
      yield new DataView(answer.buffer, 0, length);
    }
  } finally {
    libc().close(fd);
  }
}

interface TcRequest {
  readonly type: number;
  readonly flags: number;
  readonly ifindex: number;
  readonly parent: number;
}

/** struct nlmsghdr (16 octets) and struct tcmsg (20). */
function tcRequest({ type, flags, ifindex, parent }: TcRequest): Uint8Array {
  const view = new DataView(new ArrayBuffer(HEADER_OCTETS));
  view.setUint32(0, HEADER_OCTETS, true);
  view.setUint16(4, type, true);
  view.setUint16(6, flags, true);
  view.setUint32(8, 1, true);
  view.setInt32(20, ifindex, true);
  view.setUint32(28, parent, true);
  return new Uint8Array(view.buffer);
}

function readAnswer(view: DataView): { filters: number; done: boolean; gone: boolean } {
  let filters = 0;
  for (let at = 0; at + 16 <= view.byteLength; ) {
    const length = view.getUint32(at, true);
    const type = view.getUint16(at + 4, true);
    if (type === NLMSG_DONE) return { filters, done: true, gone: false };
    if (type === NLMSG_ERROR) return { filters, done: true, gone: true };
    if (type === RTM_NEWTFILTER) filters++;
    at += Math.max(16, (length + 3) & ~3);
  }
  return { filters, done: false, gone: false };
}
