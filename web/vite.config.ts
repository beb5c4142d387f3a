import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

/** Documents that the page leads to. */
const DOCUMENTS = ['docs/ledger.md'];

/** Puts them beside the page: an agent serves those of its own version. */
function documents(): Plugin {
  return {
    name: 'documents',
    generateBundle() {
      for (const fileName of DOCUMENTS)
        this.emitFile({
          type: 'asset',
          fileName,
          source: readFileSync(join(import.meta.dirname, '..', fileName), 'utf8'),
        });
    },
  };
}

/** The page as external files only: the server's content security policy allows nothing inline. */
export default defineConfig({
  root: import.meta.dirname,
  base: './',
  publicDir: 'public',
  plugins: [react(), documents()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2023',
    cssTarget: ['chrome123', 'firefox121', 'safari17.5'],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
