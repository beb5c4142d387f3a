import { useLayoutEffect, useRef } from 'react';
import { useNewest } from '../hooks.ts';
import { between, EMPTY_POSE, ease, type Gate, type Pose } from '../layout/tween.ts';

/** How long a change takes, milliseconds. */
const DURATION_MS = 320;

/** Nobody sees a hidden page move, and some ask not to see it at all. */
export function mayMove(): boolean {
  return document.visibilityState === 'visible' && !matchMedia('(prefers-reduced-motion: reduce)').matches;
}

/** Sets one pose on the elements. */
export type Draw = (pose: Pose, still: boolean) => void;

/**
 * Draws a pose; a new one is reached in small steps from where the last one stands at that moment.
 *
 * @param open looks up the elements there are, and gives what sets a pose on them; `still` when nothing moves any more
 * @param onStill called once the new pose is reached
 */
export function usePose(target: Pose, gate: Gate, open: () => Draw, onStill: () => void): void {
  const current = useRef<Pose>(EMPTY_POSE);
  const aim = useRef<Pose>(EMPTY_POSE);
  const still = useNewest(onStill);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the gate belongs to the target it came with
  useLayoutEffect(() => {
    const draw = open();
    const from = current.current;
    const isFirst = from === EMPTY_POSE;
    if (isFirst || aim.current === target || !mayMove()) {
      current.current = target;
      aim.current = target;
      draw(target, true);
      if (!isFirst) still();
      return;
    }
    aim.current = target;
    const startMs = performance.now();
    let frame = 0;
    const step = (): void => {
      const t = Math.min(1, (performance.now() - startMs) / DURATION_MS);
      const pose = between(from, target, ease(t), gate);
      current.current = pose;
      draw(pose, t === 1);
      if (t < 1) frame = requestAnimationFrame(step);
      else still();
    };
    step();
    return () => cancelAnimationFrame(frame);
  }, [target, open]);
}
