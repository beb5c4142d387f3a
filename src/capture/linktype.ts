/** What the frames of an interface begin with: LINKTYPE numbers of the registry at tcpdump.org/linktypes.html. */

/** Link types whose frames can be parsed. */
export const LINK_TYPE = {
  /** BSD loopback: the address family as 4 octets in the byte order of the machine that captured. */
  null: 0,
  ethernet: 1,
  /** IPv4 or IPv6 without a header before it, told apart by the version. */
  raw: 101,
  /** As `null`, in network byte order. */
  loop: 108,
  linuxSll: 113,
  ipv4: 228,
  ipv6: 229,
  linuxSll2: 276,
} as const;

const READ: ReadonlySet<number> = new Set(Object.values(LINK_TYPE));

const NAMES: Readonly<Record<number, string>> = {
  0: 'NULL',
  1: 'ETHERNET',
  6: 'IEEE802_5',
  9: 'PPP',
  10: 'FDDI',
  12: 'RAW of DLT_RAW',
  50: 'PPP_HDLC',
  51: 'PPP_ETHER',
  101: 'RAW',
  104: 'C_HDLC',
  105: 'IEEE802_11',
  107: 'FRELAY',
  108: 'LOOP',
  113: 'LINUX_SLL',
  117: 'PFLOG',
  119: 'IEEE802_11_PRISM',
  127: 'IEEE802_11_RADIOTAP',
  143: 'DOCSIS',
  147: 'USER0',
  187: 'BLUETOOTH_HCI_H4',
  189: 'USB_LINUX',
  192: 'PPI',
  195: 'IEEE802_15_4_WITHFCS',
  197: 'ERF',
  201: 'BLUETOOTH_HCI_H4_WITH_PHDR',
  220: 'USB_LINUX_MMAPPED',
  224: 'FC_2',
  227: 'CAN_SOCKETCAN',
  228: 'IPV4',
  229: 'IPV6',
  239: 'NFLOG',
  243: 'MPEG_2_TS',
  247: 'INFINIBAND',
  249: 'USBPCAP',
  252: 'WIRESHARK_UPPER_PDU',
  253: 'NETLINK',
  271: 'VSOCK',
  276: 'LINUX_SLL2',
};

/** The registry's name without its prefix, `ETHERNET`; the number in words where the name is not known here. */
export function linkTypeName(linkType: number): string {
  return NAMES[linkType] ?? `link type ${linkType}`;
}

/** Whether frames of this link type can be parsed; others are delivered too, to be counted. */
export function isReadLinkType(linkType: number): boolean {
  return READ.has(linkType);
}
