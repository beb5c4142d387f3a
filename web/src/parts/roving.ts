import { type KeyboardEvent, type RefObject, useCallback, useEffect, useRef, useState } from 'react';
import type { Arc } from '../layout/fold.ts';

/** Who goes into an arc by the keyboard stays in the ring. */
export function useKeptFocus(root: RefObject<SVGGElement | null>, focusKey: string): void {
  const last = useRef(focusKey);
  const hadFocus = useRef(false);
  useEffect(() => {
    const ring = root.current;
    const note = (event: FocusEvent): void => {
      hadFocus.current =
        ring?.contains(event.target as Node) === true && (event.target as Element).matches(':focus-visible');
    };
    window.addEventListener('focusin', note);
    return () => window.removeEventListener('focusin', note);
  }, [root]);
  useEffect(() => {
    if (last.current === focusKey) return;
    last.current = focusKey;
    const focused = document.activeElement;
    if (!hadFocus.current || (focused !== document.body && !focused?.closest('.leaving'))) return;
    root.current?.querySelector<SVGGElement>('g.arc:not(.leaving)[tabindex="0"]')?.focus();
  }, [root, focusKey]);
}

/** Where a key leads from place `at` of a row of marks, to be taken modulo their number; undefined: it is no such key. */
export function rovingStep(key: string, at: number): number | undefined {
  const steps: Readonly<Record<string, number>> = {
    ArrowRight: at + 1,
    ArrowDown: at + 1,
    ArrowLeft: at - 1,
    ArrowUp: at - 1,
    Home: 0,
    End: -1,
  };
  return steps[key];
}

/** One arc takes part in the tab order; the arrow keys go from arc to arc. */
export function useRoving(arcs: readonly Arc[]): {
  stop: string | undefined;
  onFocus: (arc: Arc) => void;
  onKeyDown: (event: KeyboardEvent<SVGGElement>) => void;
} {
  const [chosen, setChosen] = useState<string>();
  const stop = arcs.some((arc) => arc.id === chosen) ? chosen : arcs[0]?.id;
  const onFocus = useCallback((arc: Arc) => setChosen(arc.id), []);
  const onKeyDown = (event: KeyboardEvent<SVGGElement>): void => {
    const at = arcs.findIndex((arc) => arc.id === stop);
    const step = rovingStep(event.key, at);
    if (step === undefined) return;
    event.preventDefault();
    const next = arcs.at(step % arcs.length)!;
    const marks = event.currentTarget.querySelectorAll<SVGGElement>('g.arc:not(.leaving)');
    [...marks].find((mark) => mark.dataset.nodeId === next.id)?.focus();
  };
  return { stop, onFocus, onKeyDown };
}
