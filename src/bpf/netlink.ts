/** The one question to rtnetlink that libbpf does not ask: how many filters a clsact qdisc holds. (rtnetlink(7)) */
import { kernelError } from './error.ts';
import { lastErrno, libc } from './libbpf.ts';

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const NETLINK_ROUTE = 0;
const RTM_NEWTFILTER = 44;
const RTM_GETTFILTER = 46;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const NLM_F_REQUEST_DUMP = 0x1 | 0x300;
/** tc handles ffff:fff2 and ffff:fff3: the two sides of clsact. */
const PARENTS = [0xffff_fff2, 0xffff_fff3];

/** Filters of any kind on both sides of an interface's clsact qdisc; undefined when the interface or the qdisc is gone. */
export function countFilters(ifindex: number): number | undefined {
  const counts = PARENTS.map((parent) => countAt(ifindex, parent));
  return counts.includes(undefined)
    ? undefined
    : counts.reduce<number>((sum, count) => sum + (count ?? 0), 0);
}

function countAt(ifindex: number, parent: number): number | undefined {
  const fd = libc().socket(AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0) throw kernelError('BPF_LINK', lastErrno(), { action: 'open a netlink socket' });
  try {
    const request = filterRequest(ifindex, parent);
    if (libc().send(fd, request, request.byteLength, 0) < 0) {
      throw kernelError('BPF_LINK', lastErrno(), { action: `list the filters of interface ${ifindex}` });
    }
    const answer = new Uint8Array(65536);
    for (let count = 0; ; ) {
      const length = Number(libc().recv(fd, answer, answer.byteLength, 0));
      if (length <= 0)
        throw kernelError('BPF_LINK', lastErrno(), { action: `list the filters of interface ${ifindex}` });
      const part = readAnswer(new DataView(answer.buffer, 0, length));
      count += part.filters;
      if (part.gone) return undefined;
      if (part.done) return count;
    }
  } finally {
    libc().close(fd);
  }
}

/** struct nlmsghdr (16 octets) and struct tcmsg (20). */
function filterRequest(ifindex: number, parent: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(36));
  view.setUint32(0, 36, true);
  view.setUint16(4, RTM_GETTFILTER, true);
  view.setUint16(6, NLM_F_REQUEST_DUMP, true);
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
