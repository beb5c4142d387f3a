/** What rules exclude, among the lines of a ledger. */

/** Reason of their line. */
export const EXCLUDED = 'excluded';

/** What was excluded. */
export function excludedOf(
  ledger: readonly { readonly reason: string; readonly packets: number; readonly octets: number }[],
): { packets: number; octets: number } {
  const line = ledger.find(({ reason }) => reason === EXCLUDED);
  return { packets: line?.packets ?? 0, octets: line?.octets ?? 0 };
}
