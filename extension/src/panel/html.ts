// The panel's page: one script and nothing else. Styles are constructed by that script, so the policy needs no
// exception for them, and the words of the editor's language, as data that the script reads.
// Invariant: nothing of the state is ever written into this page.

/** Texts of the editor's language by their English ones. */
export type Words = Readonly<Record<string, unknown>>;

export function panelHtml(script: string, nonce: string, language = "en", words: Words = {}): string {
  // No text may end the element that holds it.
  const data = JSON.stringify(words).replaceAll("<", "\\u003c");
  return `<!DOCTYPE html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'nonce-${nonce}';">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Gemini Aggregator</title>
</head>
<body>
<aggregator-panel></aggregator-panel>
<script type="application/json" id="words">${data}</script>
<script type="module" nonce="${nonce}" src="${script}"></script>
</body>
</html>
`;
}
