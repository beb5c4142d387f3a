import {
  type RefObject,
  useCallback,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
  useSyncExternalStore,
} from 'react';
import { type Place, readPlace, writePlace } from './question.ts';

const MOVED = 'tunnelscope:moved';

function subscribePlace(listener: () => void): () => void {
  window.addEventListener('popstate', listener);
  window.addEventListener(MOVED, listener);
  return () => {
    window.removeEventListener('popstate', listener);
    window.removeEventListener(MOVED, listener);
  };
}

/** Goes to a place; a new one becomes a step of the browser's history, but where it replaces the last. */
export type Go = (place: Place, how?: 'replace') => void;

/** The place in the address bar, and how to go elsewhere. */
export function usePlace(): { place: Place; ignored: readonly string[]; go: Go } {
  const search = useSyncExternalStore(subscribePlace, () => location.search);
  const read = useMemo(() => readPlace(search), [search]);
  const go = useCallback((next: Place, how?: 'replace') => {
    const text = writePlace(next);
    if (text === location.search) return;
    const address = text === '' ? location.pathname : text;
    if (how === 'replace') history.replaceState(null, '', address);
    else history.pushState(null, '', address);
    window.dispatchEvent(new Event(MOVED));
  }, []);
  return { ...read, go };
}

/** Whether a media query holds now. */
export function useMedia(query: string): boolean {
  const list = useMemo(() => matchMedia(query), [query]);
  const subscribe = useCallback(
    (listener: () => void) => {
      list.addEventListener('change', listener);
      return () => list.removeEventListener('change', listener);
    },
    [list],
  );
  return useSyncExternalStore(subscribe, () => list.matches);
}

/** Size of an element in CSS pixels; 0 × 0 before it is measured. */
export function useSize(ref: RefObject<Element | null>): { width: number; height: number } {
  const [size, setSize] = useState({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const element = ref.current;
    if (!element) return;
    const measure = (): void => {
      const { width, height } = element.getBoundingClientRect();
      const next = { width: Math.round(width), height: Math.round(height) };
      setSize((last) => (last.width === next.width && last.height === next.height ? last : next));
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [ref]);
  return size;
}

/** The time, renewed every `everyMs`; undefined where it may stand still. */
export function useNow(everyMs: number | undefined): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (everyMs === undefined) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

/** A value that changes at most every `everyMs`, for live regions. */
export function useSlowly<T>(value: T, everyMs: number): T {
  const [slow, setSlow] = useState({ value, atMs: 0 });
  useEffect(() => {
    if (Object.is(slow.value, value)) return;
    const wait = Math.max(0, slow.atMs + everyMs - Date.now());
    const timer = setTimeout(() => setSlow({ value, atMs: Date.now() }), wait);
    return () => clearTimeout(timer);
  }, [value, slow, everyMs]);
  return slow.value;
}

/** A function that stays the same and always does what the newest one does: for what is drawn once and stays. */
export function useNewest<Words extends readonly unknown[]>(
  newest: (...words: Words) => void,
): (...words: Words) => void {
  const held = useRef(newest);
  useLayoutEffect(() => {
    held.current = newest;
  });
  return useCallback((...words: Words) => held.current(...words), []);
}
