/** A store's file, open: its connection for writing, and what is known of it by heart. */
import { Catalogue } from './catalogue.ts';
import { type Connection, Database, type DatabaseOptions } from './database.ts';
import { StoreError } from './error.ts';
import { CREATE_STAGE } from './levels.ts';
import { openSchema } from './schema.ts';

/** An open file. */
export interface Opened {
  readonly database: Database;
  /** The only connection that writes. */
  readonly writer: Connection;
  /** Replaced when a transaction failed. */
  catalogue: Catalogue;
  readonly intervalMs: number;
}

/** Opens a store, or makes one. @throws StoreError */
export async function openFile(options: DatabaseOptions & { readonly intervalMs: number }): Promise<Opened> {
  const database = await Database.open(options);
  try {
    const writer = await database.connect();
    const intervalMs = await openSchema(writer, options);
    if (!options.readOnly) await writer.run(CREATE_STAGE, undefined, 'opening');
    return { database, writer, catalogue: await Catalogue.read(writer), intervalMs };
  } catch (error) {
    database.close();
    throw StoreError.from(error, `opening ${options.path}`);
  }
}

/** Closes it; no connection may be in use. */
export function closeFile({ database, writer }: Opened): void {
  writer[Symbol.dispose]();
  database.close();
}
