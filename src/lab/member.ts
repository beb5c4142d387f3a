/** Processes that belong to a lab as its namespaces do. */

/** One process that is kept running: started again whenever it ends. */
export interface Member {
  /** Of its own in the lab: `bridge-host0`. */
  readonly name: string;
  /** What it is, in words for people: `bridge`, `DHCP server`. */
  readonly role: string;
  /** The namespace it works in, with prefix. */
  readonly namespace: string;
  /** Program and words. */
  readonly command: readonly string[];
  /** Files in its directory that are written before it starts, by name. */
  readonly files?: Readonly<Record<string, string>>;
  /** What its output has when it is at work, a regular expression; without it, running is enough. */
  readonly ready?: string;
}
