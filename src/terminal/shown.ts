/** What people want to see beside the answer to a question: shares, what is not listed, how much more it is than before. */
import type { HistoryQuestion, Question, ResultTable } from '../query/index.ts';

type Shown = Pick<ResultTable, 'columns' | 'rows'>;
type Cell = ResultTable['rows'][number][number];

/** Width of the longest bar. */
const BAR_WIDTH = 30;
/** Eighths of a character, from one on. */
const EIGHTHS = ['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'] as const;

/** The answer with what follows from it. */
export function shownTable(question: Question, table: ResultTable): Shown {
  switch (question.ask) {
    case 'top':
    case 'matrix':
    case 'distinct':
      return withShares(question, table);
    case 'series':
      return question.by.length === 0 ? withBars(question, table) : table;
    case 'compare':
      return withChanges(question, table);
    case 'flows':
    case 'tunnels':
      return withoutEmpty(table);
  }
}

/** A share of the total where that is known, and a line of all that is not listed. */
function withShares({ quantity }: Question, { columns, rows, total, isCut }: ResultTable): Shown {
  if (quantity !== 'octets' && quantity !== 'packets') return { columns, rows };
  const at = columnNamed(columns, quantity);
  const whole = total[quantity];
  const listed = (name: string): number => {
    const column = columnNamed(columns, name);
    return rows.reduce((sum, row) => sum + Number(row[column]), 0);
  };
  const others = columns.map(({ name }, i): Cell => {
    if (name === 'octets' || name === 'packets') return total[name] - listed(name);
    return i === 0 ? 'others' : '';
  });
  const all = isCut ? [...rows, others] : rows;
  return {
    columns: columns.toSpliced(at + 1, 0, { name: 'share', kind: 'share' }),
    rows: all.map((row) => row.toSpliced(at + 1, 0, whole > 0 ? Number(row[at]) / whole : 0)),
  };
}

/** Each step's quantity as a bar, the largest one as long as there is room. */
function withBars({ quantity }: Question, { columns, rows }: ResultTable): Shown {
  const at = columnNamed(columns, quantity);
  const most = rows.reduce((largest, row) => Math.max(largest, Number(row[at])), 0);
  return {
    columns: [...columns, { name: '', kind: 'text' }],
    rows: rows.map((row) => [...row, bar(most > 0 ? Number(row[at]) / most : 0)]),
  };
}

/** How much more than before, per time where the spans are not equally long. */
function withChanges(
  question: Extract<HistoryQuestion, { ask: 'compare' }>,
  { columns, rows }: ResultTable,
): Shown {
  const now = columnNamed(columns, question.quantity);
  const before = columnNamed(columns, `before.${question.quantity}`);
  const { fromMs, toMs, before: base } = question;
  const lengths = (base.toMs - base.fromMs) / (toMs - fromMs);
  return {
    columns: [...columns, { name: 'change', kind: 'text' }],
    rows: rows.map((row) => [...row, change(Number(row[now]) * lengths, Number(row[before]))]),
  };
}

/** Columns in which no flow has anything are left out: there are many. */
function withoutEmpty({ columns, rows }: ResultTable): Shown {
  const isKept = columns.map((_, i) => rows.some((row) => row[i] !== null && row[i] !== 'none'));
  return {
    columns: columns.filter((_, i) => isKept[i]),
    rows: rows.map((row) => row.filter((_, i) => isKept[i])),
  };
}

function bar(share: number): string {
  const eighths = Math.round(share * BAR_WIDTH * EIGHTHS.length);
  const rest = eighths % EIGHTHS.length;
  return `${'█'.repeat(Math.floor(eighths / EIGHTHS.length))}${rest > 0 ? EIGHTHS[rest - 1] : ''}`;
}

function change(now: number, before: number): string {
  if (before === 0) return now === 0 ? '' : 'new';
  if (now === 0) return 'gone';
  const ratio = now / before;
  return ratio >= 10
    ? `× ${ratio.toFixed(0)}`
    : `${ratio >= 1 ? '+' : '-'}${Math.abs(100 * (ratio - 1)).toFixed(0)} %`;
}

/** @throws RangeError when an answer is not of its question */
function columnNamed(columns: ResultTable['columns'], name: string): number {
  const at = columns.findIndex((column) => column.name === name);
  if (at < 0) throw new RangeError(`the answer has no column "${name}"`);
  return at;
}
