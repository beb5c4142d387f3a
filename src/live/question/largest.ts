/** The largest of many without sorting all of them. */

/**
 * The first of `0 … count - 1` in an order, in that order.
 *
 * @param limit how many at most
 * @param isBefore whether one comes before another; of equal ones the lower number comes first
 */
export function largest(count: number, limit: number, isBefore: (a: number, b: number) => boolean): number[] {
  const precedes = (a: number, b: number): boolean => isBefore(a, b) || (!isBefore(b, a) && a < b);
  /** A heap of those found so far; the last in the order is at the top. */
  const heap: number[] = [];
  const sink = (from: number): void => {
    const value = heap[from]!;
    let at = from;
    for (let child = 2 * at + 1; child < heap.length; child = 2 * at + 1) {
      if (child + 1 < heap.length && precedes(heap[child]!, heap[child + 1]!)) child++;
      if (!precedes(value, heap[child]!)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = value;
  };
  for (let each = 0; each < count; each++) {
    if (heap.length < limit) {
      heap.push(each);
      if (heap.length === limit) for (let at = (limit >> 1) - 1; at >= 0; at--) sink(at);
    } else if (precedes(each, heap[0]!)) {
      heap[0] = each;
      sink(0);
    }
  }
  return heap.sort((a, b) => (precedes(a, b) ? -1 : 1));
}
