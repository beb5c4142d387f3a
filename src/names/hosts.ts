/** The hosts file (hosts(5)): addresses and the names of this machine's user for them. */
import { keyedAddress } from './address-key.ts';
import { printableName } from './printable.ts';

/** Most addresses that are kept of a file. */
const MOST = 100_000;

/**
 * Reads a hosts file: of each address the first name, as the system's resolver has it. Lines that are none are passed over,
 * and so are those of no address (0.0.0.0), which lists of unwanted names use.
 */
export function parseHosts(text: string): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [address = '', first] = line.replace(/#.*/, '').trim().split(/\s+/);
    const name = first === undefined ? undefined : printableName(first);
    const key = name === undefined ? undefined : keyedAddress(address)?.key;
    if (name === undefined || key === undefined || names.has(key)) continue;
    if (names.size === MOST) break;
    names.set(key, name);
  }
  return names;
}
