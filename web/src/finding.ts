/** Rows of addresses found by a part of the address, or of what it or its segment is called. */
import { useEffect, useState } from 'react';
import { parseAddress } from '../../src/flow/index.ts';
import { type FoundNames, FoundNamesSchema, networkOctets, parseNetwork } from '../../src/query/index.ts';
import type { ResultRow } from './result.ts';

/** Somebody types on: nothing is asked before so long, milliseconds. */
const TYPED_MS = 150;

/** What is called something with the text in it; undefined as long as nobody knows. */
export function useFoundNames(text: string): FoundNames | undefined {
  const [known, setKnown] = useState<{ readonly text: string; readonly found: FoundNames }>();
  useEffect(() => {
    if (text === '') return;
    const gone = new AbortController();
    const timer = setTimeout(() => {
      void askFor(text, gone.signal).then((found) => {
        if (found && !gone.signal.aborted) setKnown({ text, found });
      });
    }, TYPED_MS);
    return () => {
      clearTimeout(timer);
      gone.abort();
    };
  }, [text]);
  return known?.text === text ? known.found : undefined;
}

async function askFor(text: string, signal: AbortSignal): Promise<FoundNames | undefined> {
  try {
    const question = new URLSearchParams({ find: text });
    const response = await fetch(`api/v1/names?${question}`, { signal, cache: 'no-store' });
    return response.ok ? FoundNamesSchema.parse(await response.json()) : undefined;
  } catch {
    // Addresses are found without.
    return undefined;
  }
}

/** @returns whether a row is found, which begins with an address, and where it has one, its segment */
export function finder(text: string, names: FoundNames | undefined): (row: ResultRow) => boolean {
  const wanted = text.toLowerCase();
  const networks = Object.keys(names?.networks ?? {}).flatMap((network) => {
    const parsed = parseNetwork(network);
    return parsed ? [networkOctets(parsed)] : [];
  });
  const isInAny = (address: string): boolean => {
    const octets = networks.length > 0 ? parseAddress(address) : undefined;
    return (
      octets !== undefined &&
      networks.some(({ octets: first, mask }) => first.every((octet, i) => octet === (octets[i]! & mask[i]!)))
    );
  };
  return ([first, second]) => {
    const address = String(first);
    return (
      address.includes(wanted) ||
      (names !== undefined && (Object.hasOwn(names.addresses, address) || isInAny(address))) ||
      (typeof second === 'string' && names !== undefined && Object.hasOwn(names.segments, second))
    );
  };
}
