/** Names for what views show: a view says what is on screen, and is drawn anew when it is called otherwise. */
import { createContext, useContext, useEffect, useMemo, useSyncExternalStore } from 'react';
import type { Name } from '../../src/query/index.ts';
import { type KnownNames, type Nameable, type Naming, NO_NAMES } from './names.ts';

/** The page's names; without them nothing has any. */
export const NamesContext = createContext<KnownNames | undefined>(undefined);

const never = (): (() => void) => () => {};

/** What one address or segment on screen is called. */
export function useName(kind: Nameable, text: string | null | undefined): Name | undefined {
  const names = useContext(NamesContext);
  useEffect(() => (text == null ? undefined : names?.want(kind, [text])), [names, kind, text]);
  return useSyncExternalStore(names?.subscribe ?? never, () =>
    text == null ? undefined : names?.nameOf(kind, text),
  );
}

const NONE: readonly string[] = [];

/** Names of all that is on screen, for words that are made of several. The same object until something is called otherwise. */
export function useNaming(addresses: readonly string[], segments: readonly string[] = NONE): Naming {
  const names = useContext(NamesContext);
  const version = useSyncExternalStore(names?.subscribe ?? never, () => names?.version() ?? 0);
  useWanted(names, 'addresses', addresses);
  useWanted(names, 'segments', segments);
  // biome-ignore lint/correctness/useExhaustiveDependencies: version is when a name is another
  return useMemo(
    () =>
      names
        ? {
            address: (address) => names.nameOf('addresses', address),
            segment: (id) => names.nameOf('segments', id),
          }
        : NO_NAMES,
    [names, version],
  );
}

function useWanted(names: KnownNames | undefined, kind: Nameable, texts: readonly string[]): void {
  const all = [...new Set(texts)].join('\n');
  useEffect(() => (all === '' ? undefined : names?.want(kind, all.split('\n'))), [names, kind, all]);
}

/** Whether any address has a name: then columns of addresses have room for both. */
export function useHasNames(): boolean {
  const names = useContext(NamesContext);
  return useSyncExternalStore(names?.subscribe ?? never, () => names?.hasAddresses() ?? false);
}
