import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { describeStore } from './conformance.fixture.ts';
import { DuckDbStore } from './index.ts';

const directory = mkdtempSync(join(tmpdir(), 'tunnelscope-store-'));
after(() => rmSync(directory, { recursive: true }));

describeStore('DuckDB', {
  open: (name, clock) =>
    DuckDbStore.open({
      path: join(directory, `${name}.duckdb`),
      clock,
      listener: {
        failed: (error) => {
          throw error;
        },
      },
    }),
});
