// The look that all parts share: sections, native tables, buttons, states. Every colour is a theme variable of the
// editor, so that light, dark and high contrast themes hold without a word here.

import { css } from "lit";

export const shared = css`
  :host {
    display: block;
  }
  h2 {
    font-size: 1.1em;
    font-weight: 600;
    margin: 0;
  }
  .head {
    display: flex;
    align-items: center;
    flex-wrap: wrap;
    gap: 10px;
    margin-bottom: 8px;
  }
  .head .grow {
    flex: 1;
  }
  .note,
  .sub {
    color: var(--vscode-descriptionForeground);
  }
  .sub {
    font-size: 0.9em;
    min-width: 120px;
    overflow-wrap: anywhere;
  }
  .number .sub,
  .sub.nowrap,
  .sub.clip {
    min-width: 0;
  }
  .number .sub {
    max-width: 150px;
    white-space: normal;
    margin-left: auto;
  }
  .sub.warn,
  .warn {
    color: var(--vscode-foreground);
    font-weight: 600;
  }
  .mono {
    font-family: var(--vscode-editor-font-family, monospace);
  }
  .empty {
    border: 1px dashed var(--line);
    border-radius: 4px;
    padding: 18px 16px;
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 8px 16px;
  }
  .empty p {
    margin: 0;
    flex: 1 1 260px;
    color: var(--vscode-descriptionForeground);
  }
`;

export const controls = css`
  button,
  select {
    font: inherit;
    border-radius: 3px;
    cursor: pointer;
  }
  button {
    border: 1px solid var(--vscode-button-secondaryBorder, var(--vscode-button-border, transparent));
    padding: 3px 10px;
    background: var(--vscode-button-secondaryBackground);
    color: var(--vscode-button-secondaryForeground);
    white-space: nowrap;
  }
  button:hover:not(:disabled) {
    background: var(--vscode-button-secondaryHoverBackground);
  }
  button.primary {
    border-color: var(--vscode-button-border, var(--vscode-contrastBorder, transparent));
    background: var(--vscode-button-background);
    color: var(--vscode-button-foreground);
  }
  button.primary:hover:not(:disabled) {
    background: var(--vscode-button-hoverBackground);
  }
  button.plain {
    background: none;
    border-color: transparent;
    color: var(--vscode-textLink-foreground);
    padding: 2px 5px;
  }
  button.plain:hover:not(:disabled) {
    background: var(--vscode-toolbar-hoverBackground);
  }
  /* The theme's red is too pale for words on a light page: it marks, the words stay readable. */
  button.danger:hover:not(:disabled) {
    outline: 1px solid var(--vscode-errorForeground);
  }
  button:disabled,
  select:disabled {
    opacity: 0.5;
    cursor: default;
  }
  input[type="search"] {
    font: inherit;
    color: var(--vscode-input-foreground);
    background: var(--vscode-input-background);
    border: 1px solid var(--vscode-input-border, var(--line));
    border-radius: 3px;
    padding: 3px 6px;
    flex: 1 1 240px;
    max-width: 420px;
  }
  input[type="search"]::placeholder {
    color: var(--vscode-input-placeholderForeground);
    opacity: 1;
  }
  input[type="checkbox"] {
    margin: 3px 0 0;
    accent-color: var(--vscode-button-background);
  }
  button:focus-visible,
  input:focus-visible,
  summary:focus-visible,
  .scroll:focus-visible,
  select:focus-visible {
    outline: 1px solid var(--vscode-focusBorder);
    outline-offset: 1px;
  }
  select {
    color: var(--vscode-dropdown-foreground);
    background: var(--vscode-dropdown-background);
    border: 1px solid var(--vscode-dropdown-border, var(--line));
    padding: 2px 4px;
    max-width: 130px;
  }
`;

export const table = css`
  .filters,
  .bulk {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 8px;
    margin-bottom: 8px;
  }
  .bulk {
    padding: 6px 10px;
    border: 1px solid var(--vscode-focusBorder);
    border-radius: 4px;
  }
  .scroll {
    overflow-x: auto;
    border: 1px solid var(--line);
    border-radius: 4px;
  }
  table {
    border-collapse: collapse;
    width: 100%;
    font-variant-numeric: tabular-nums;
  }
  th,
  td {
    text-align: left;
    vertical-align: top;
    padding: 6px 8px;
  }
  th {
    font-weight: 600;
    font-size: 0.9em;
    white-space: nowrap;
    color: var(--vscode-descriptionForeground);
    border-bottom: 1px solid var(--line);
  }
  tbody th {
    font-size: inherit;
    color: inherit;
    border-bottom: 0;
  }
  tbody th .sub {
    font-weight: normal;
  }
  tbody tr + tr > * {
    border-top: 1px solid var(--line);
  }
  tbody tr:hover {
    background: var(--vscode-list-hoverBackground);
  }
  .number {
    text-align: right;
  }
  .nowrap {
    white-space: nowrap;
  }
  /* Long tables scroll in a box of their own, their rows all of one height: only those in sight are drawn. */
  .scroll.windowed {
    max-height: 62vh;
    overflow-y: auto;
  }
  .windowed tbody tr:not(.stand-in):not(.details) > * {
    height: 48px;
    overflow: hidden;
  }
  .windowed .sub {
    white-space: nowrap;
    overflow: hidden;
    text-overflow: ellipsis;
    max-width: 220px;
  }
  /* One line, whatever the language: every row is as high as the others. */
  .windowed .actions {
    flex-wrap: nowrap;
    width: auto;
  }
  .windowed .state {
    display: block;
  }
  .windowed thead th {
    position: sticky;
    top: 0;
    background: var(--vscode-editor-background);
    z-index: 1;
  }
  .stand-in td {
    padding: 0;
    border: 0;
  }
  tbody tr.stand-in:hover {
    background: none;
  }
  .tick {
    width: 16px;
    padding-right: 0;
  }
  tr.selected {
    background: var(--vscode-list-inactiveSelectionBackground);
  }
  .clip {
    display: block;
    max-width: 200px;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  /* What can be done stays in sight, unless it would cover what it is done to. */
  @media (min-width: 900px) {
    .pinned {
      position: sticky;
      right: 0;
      background: var(--vscode-editor-background);
    }
  }
  .number .sub.lines {
    min-width: 130px;
  }
  .heading {
    font: inherit;
    color: inherit;
    background: none;
    border: 0;
    padding: 0;
    font-weight: 600;
    white-space: nowrap;
  }
  .heading:hover:not(:disabled) {
    background: none;
    color: var(--vscode-foreground);
  }
  .arrow {
    display: inline-block;
    width: 1em;
  }
  .more {
    display: block;
    margin: 8px auto;
  }
  .actions {
    display: flex;
    /* Two by two: rows have two lines anyway, and other columns want the room. */
    flex-wrap: wrap;
    width: 176px;
    justify-content: flex-end;
    gap: 2px;
    margin: -3px -5px -2px auto;
  }
`;

export const states = css`
  .state {
    white-space: nowrap;
  }
  .state::before {
    content: "";
    display: inline-block;
    width: 8px;
    height: 8px;
    margin-right: 6px;
    border-radius: 50%;
    border: 1px solid currentColor;
    box-sizing: border-box;
  }
  .state.good::before {
    color: var(--vscode-charts-green);
    background: currentColor;
  }
  .state.waiting::before {
    color: var(--vscode-charts-yellow);
    background: linear-gradient(90deg, currentColor 50%, transparent 50%);
  }
  .state.bad::before {
    color: var(--vscode-errorForeground);
    background: currentColor;
    border-radius: 1px;
  }
  .state.quiet::before {
    color: var(--vscode-descriptionForeground);
  }
  .mark {
    font-size: 0.85em;
    padding: 0 5px;
    border: 1px solid var(--line);
    border-radius: 8px;
    color: var(--vscode-descriptionForeground);
    white-space: nowrap;
  }
`;
