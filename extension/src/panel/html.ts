// The panel's page: one script and nothing else. Styles are constructed by that script, so the policy needs no
// exception for them. Invariant: nothing of the state is ever written into this page.

export function panelHtml(script: string, nonce: string): string {
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'nonce-${nonce}';">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Gemini Aggregator</title>
</head>
<body>
<aggregator-panel></aggregator-panel>
<script type="module" nonce="${nonce}" src="${script}"></script>
</body>
</html>
`;
}
