/** The interfaces a capture tells of. */

/** An interface of a capture, and what has been delivered from it so far. A pcap file has exactly one. */
export interface CaptureInterface {
  /** LINKTYPE number, as the file says. */
  readonly linkType: number;
  /** if_name; cut to 256 characters. */
  readonly name: string | undefined;
  /** if_description; cut to 256 characters. */
  readonly description: string | undefined;
  /** Octets kept of a packet at most; 0: no limit. Packets beyond it are delivered all the same. */
  readonly snapLength: number;
  /** Time stamps per second: 10^6, or as if_tsresol says; a power of 10 or of 2. */
  readonly resolution: bigint;
  /** Seconds to add to each time stamp (if_tsoffset); already added in batches. */
  readonly offsetSeconds: number;
  /** Section of a pcapng file, from 0. */
  readonly section: number;
  packets: number;
  capturedOctets: number;
  originalOctets: number;
  /** The last Interface Statistics Block; `undefined` where it does not say. */
  statistics: InterfaceStatistics | undefined;
}

/** What the capturing system counted at an interface (ISB options), in packets. */
export interface InterfaceStatistics {
  /** isb_ifrecv */
  readonly received: bigint | undefined;
  /** isb_ifdrop: lost at the interface for lack of room. */
  readonly dropped: bigint | undefined;
  /** isb_filteraccept */
  readonly accepted: bigint | undefined;
  /** isb_osdrop: lost by the operating system. */
  readonly droppedBySystem: bigint | undefined;
  /** isb_usrdeliv */
  readonly delivered: bigint | undefined;
}

/** Makes an interface from which nothing has come yet. */
export function newInterface(
  said: Partial<CaptureInterface> & Pick<CaptureInterface, 'linkType' | 'snapLength'>,
): CaptureInterface {
  return {
    name: undefined,
    description: undefined,
    resolution: 1_000_000n,
    offsetSeconds: 0,
    section: 0,
    packets: 0,
    capturedOctets: 0,
    originalOctets: 0,
    statistics: undefined,
    ...said,
  };
}
