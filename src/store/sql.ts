/** Values in the text of SQL. */

/** A text. */
export function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

/** A whole number. @throws RangeError for any other */
export function whole(value: number | bigint): string {
  if (typeof value === 'number' && !Number.isSafeInteger(value))
    throw new RangeError(`${value} is no whole number`);
  return String(value);
}

/** A moment in milliseconds since the epoch, as the column `period` holds it. */
export function moment(ms: number): string {
  return `TIMESTAMP '${new Date(ms).toISOString().replace('T', ' ').replace('Z', '')}'`;
}
