/** One server-sent event. */
export interface ServerEvent {
  readonly event: string;
  readonly text: string;
  readonly id: string | undefined;
}

/**
 * Reads an event stream (HTML Standard, section 9.2.6) piece by piece. Comments give nothing, but show the caller that
 * the other end lives.
 */
export function eventReader(): (piece: string) => ServerEvent[] {
  /** Pieces of a line that has not ended. */
  let begun: string[] = [];
  let event = '';
  let lines: string[] = [];
  let id: string | undefined;
  return (piece) => {
    const events: ServerEvent[] = [];
    // A long line comes in many pieces; it is looked through once, when its end is there.
    const isOpen = begun.at(-1)?.endsWith('\r') !== true && !piece.includes('\n') && !piece.includes('\r');
    begun.push(piece);
    if (isOpen) return events;
    const text = begun.join('');
    // Our agent ends its lines with LF alone, and a character is found many times faster than a pattern.
    const parts = text.includes('\r') ? text.split(/\r\n|\n|\r(?!$)/) : text.split('\n');
    begun = [parts.pop() ?? ''];
    for (const part of parts) {
      if (part === '') {
        if (lines.length > 0) events.push({ event: event || 'message', text: lines.join('\n'), id });
        event = '';
        lines = [];
        continue;
      }
      const colon = part.indexOf(':');
      if (colon === 0) continue;
      const field = colon < 0 ? part : part.slice(0, colon);
      const value = colon < 0 ? '' : part.slice(colon + 1).replace(/^ /, '');
      if (field === 'event') event = value;
      else if (field === 'data') lines.push(value);
      else if (field === 'id') id = value;
    }
    return events;
  };
}
