/** Pages without script or style, for when the real one cannot be shown. */

/** Shown instead of the page to whom the token is missing. */
export const tokenPage: string = plainPage(
  'A token is needed',
  `<p>This agent shows its page only to those who know its token.</p>
<p>Open the address that the agent printed when it started. It ends in <code>/?token=…</code> and is needed once per browser.</p>
<p>Programs send the header <code>Authorization: Bearer …</code> instead.</p>`,
);

/** Shown when the server runs from a checkout whose page was never built. */
export const notBuiltPage: string = plainPage(
  'The page is not built',
  `<p>The agent runs and counts, and <a href="/api/v1/view">/api/v1/view</a> answers; only the page is missing.</p>
<p>Build it with <code>node tools/page.ts</code> (<code>npm start</code> does so by itself) and start the agent again.</p>`,
);

function plainPage(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>Tunnelscope: ${title}</title>
<h1>${title}</h1>
${body}
</html>
`;
}
