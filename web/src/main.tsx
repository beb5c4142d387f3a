import './strict-csp.ts';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { LiveFeed } from './live.ts';
import { KnownNames } from './names.ts';
import { NamesContext } from './naming.ts';
import { App } from './parts/App.tsx';
import { Fallback } from './parts/Fallback.tsx';
import { applyTheme, storedTheme } from './theme.ts';

applyTheme(storedTheme());
const feed = new LiveFeed({ fetch: window.fetch.bind(window), nowMs: Date.now });
const names = new KnownNames({
  fetch: window.fetch.bind(window),
  nowMs: () => performance.now(),
  later: (work, ms) => {
    const timer = setTimeout(work, ms);
    return () => clearTimeout(timer);
  },
});
createRoot(document.getElementById('page')!).render(
  <StrictMode>
    <Fallback>
      <NamesContext value={names}>
        <App feed={feed} />
      </NamesContext>
    </Fallback>
  </StrictMode>,
);
