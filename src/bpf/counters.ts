/** An interface's own counters, asked for by rtnetlink: one system call each way, so that a reading is of one moment. */
import { kernelError } from './error.ts';
import { lastErrno, libc } from './libbpf.ts';
import { track } from './resources.ts';

/** What an interface counted since it was made (struct rtnl_link_stats64, linux/if_link.h); packets and octets. */
export interface InterfaceCounters {
  readonly rxPackets: bigint;
  readonly txPackets: bigint;
  readonly rxOctets: bigint;
  readonly txOctets: bigint;
  readonly rxDropped: bigint;
  readonly txDropped: bigint;
}

/** The queue before an interface (its root queueing discipline, children included), in packets. */
export interface QueueCounters {
  /** Since it was made; 32 bits, wraps. */
  readonly dropped: number;
  /** Waiting now. */
  readonly waiting: number;
}

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const NETLINK_ROUTE = 0;
/**
 * With an acknowledgement: of an interface without a queue there is no other answer. With echo: without it a queue is told
 * to those only who listen to all changes.
 */
const NLM_F_REQUEST_ACK_ECHO = 0x1 | 0x4 | 0x8;
const NLMSG_OCTETS = 16;
const ATTRIBUTE_OCTETS = 4;
const ANSWER_OCTETS = 8192;

const RTM_NEWSTATS = 92;
const RTM_GETSTATS = 94;
const IFLA_STATS_LINK_64 = 1;
/** struct if_stats_msg: the interface at 4, what is asked for at 8. */
const STATS_OCTETS = 12;
/** struct rtnl_link_stats64 up to and with tx_dropped. */
const COUNTERS_OCTETS = 8 * 8;

const RTM_NEWQDISC = 36;
const RTM_GETQDISC = 38;
const TC_H_ROOT = 0xffff_ffff;
const TCA_STATS2 = 7;
const TCA_STATS_QUEUE = 3;
/** struct tcmsg: the interface at 4, the parent at 12. */
const TC_OCTETS = 20;
/** struct gnet_stats_queue: qlen, backlog, drops, … */
const QUEUE_OCTETS = 12;

/** A netlink socket in the network namespace of the thread that opened it. */
export class CounterSocket implements Disposable {
  readonly #fd: number;
  readonly #untrack: () => boolean;
  readonly #answer = new Uint8Array(ANSWER_OCTETS);
  readonly #stats: DataView = requestOf(RTM_GETSTATS, STATS_OCTETS);
  readonly #queue: DataView = requestOf(RTM_GETQDISC, TC_OCTETS);
  #sequence = 0;

  private constructor(fd: number) {
    this.#fd = fd;
    this.#untrack = track(`netlink socket for counters (fd ${fd})`);
    this.#stats.setUint32(NLMSG_OCTETS + 8, 1 << (IFLA_STATS_LINK_64 - 1), true);
    this.#queue.setUint32(NLMSG_OCTETS + 12, TC_H_ROOT, true);
  }

  /** @throws BpfError `BPF_LINK` when no socket is to be had. */
  static open(): CounterSocket {
    const fd = libc().socket(AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0) throw kernelError('BPF_LINK', lastErrno(), { action: 'open a netlink socket' });
    return new CounterSocket(fd);
  }

  /** The counters as they are now; undefined when the interface is gone. @throws BpfError `BPF_LINK`. */
  read(ifindex: number): InterfaceCounters | undefined {
    const answer = this.#ask(this.#stats, ifindex, RTM_NEWSTATS);
    const counters =
      answer && attributeOf(answer, NLMSG_OCTETS + STATS_OCTETS, answer.byteLength, IFLA_STATS_LINK_64);
    if (!answer || !counters || counters.end - counters.at < COUNTERS_OCTETS) return undefined;
    const counter = (index: number): bigint => answer.getBigUint64(counters.at + 8 * index, true);
    return {
      rxPackets: counter(0),
      txPackets: counter(1),
      rxOctets: counter(2),
      txOctets: counter(3),
      rxDropped: counter(6),
      txDropped: counter(7),
    };
  }

  /** Its queue as it is now; undefined when it has none (noqueue) or is gone. @throws BpfError `BPF_LINK`. */
  readQueue(ifindex: number): QueueCounters | undefined {
    const answer = this.#ask(this.#queue, ifindex, RTM_NEWQDISC);
    const stats = answer && attributeOf(answer, NLMSG_OCTETS + TC_OCTETS, answer.byteLength, TCA_STATS2);
    const queue = stats && attributeOf(answer, stats.at, stats.end, TCA_STATS_QUEUE);
    if (!answer || !queue || queue.end - queue.at < QUEUE_OCTETS) return undefined;
    return { waiting: answer.getUint32(queue.at, true), dropped: answer.getUint32(queue.at + 8, true) };
  }

  [Symbol.dispose](): void {
    if (this.#untrack()) libc().close(this.#fd);
  }

  /** The answer if it is of the kind wanted, in a buffer that the next question overwrites. */
  #ask(request: DataView, ifindex: number, wanted: number): DataView | undefined {
    const action = `read the counters of interface ${ifindex}`;
    this.#sequence++;
    request.setUint32(8, this.#sequence, true);
    request.setUint32(NLMSG_OCTETS + 4, ifindex, true);
    if (libc().send(this.#fd, new Uint8Array(request.buffer), request.byteLength, 0) < 0)
      throw kernelError('BPF_LINK', lastErrno(), { action });
    for (;;) {
      const length = Number(libc().recv(this.#fd, this.#answer, this.#answer.byteLength, 0));
      if (length <= 0) throw kernelError('BPF_LINK', lastErrno(), { action });
      const answer = new DataView(this.#answer.buffer, 0, length);
      // The acknowledgement of the question before.
      if (answer.getUint32(8, true) !== this.#sequence) continue;
      return answer.getUint16(4, true) === wanted ? answer : undefined;
    }
  }
}

function requestOf(type: number, octets: number): DataView {
  const request = new DataView(new ArrayBuffer(NLMSG_OCTETS + octets));
  request.setUint32(0, request.byteLength, true);
  request.setUint16(4, type, true);
  request.setUint16(6, NLM_F_REQUEST_ACK_ECHO, true);
  return request;
}

/** Where the contents of the first attribute of that type lie. Attributes are aligned to 4 octets. */
function attributeOf(
  answer: DataView,
  from: number,
  end: number,
  type: number,
): { readonly at: number; readonly end: number } | undefined {
  for (let at = from; at + ATTRIBUTE_OCTETS <= end; ) {
    const length = answer.getUint16(at, true);
    if (answer.getUint16(at + 2, true) === type && length >= ATTRIBUTE_OCTETS && at + length <= end)
      return { at: at + ATTRIBUTE_OCTETS, end: at + length };
    at += Math.max(ATTRIBUTE_OCTETS, (length + 3) & ~3);
  }
  return undefined;
}
