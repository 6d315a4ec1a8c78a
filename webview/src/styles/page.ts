// The page itself: font, spacing and the line colour that the parts inherit. Adopted by the document, because the
// content policy allows no style element.

import { css } from "lit";

export const page = css`
  :root {
    --line: var(--vscode-contrastBorder, var(--vscode-panel-border, var(--vscode-widget-border, currentColor)));
  }
  body {
    margin: 0;
    padding: 16px 20px 32px;
    color: var(--vscode-foreground);
    background: var(--vscode-editor-background);
    font-family: var(--vscode-font-family);
    font-size: var(--vscode-font-size);
    line-height: 1.45;
  }
  aggregator-panel {
    max-width: 1240px;
    margin: 0 auto;
  }
  @media (prefers-reduced-motion: no-preference) {
    body:not(.vscode-reduce-motion) {
      scroll-behavior: smooth;
    }
  }
`;
