/** Reason of an abort that has the programs go on counting until the next start. */
export const KEEP = 'keep';
