/** The page's looks: light, dark, print and phone. Colours of lines are custom properties, which the plots read. */

/** Okabe and Ito's colours, told apart by colour-blind people too, darkened on light and lightened on dark paper. */
const LIGHT = `
  --paper: #ffffff; --raised: #f6f7f9; --ink: #1b1f24; --muted: #5a6472; --faint: #8b95a3; --grid: #8884; --edge: #c9ced6;
  --accent: #0a5aa5; --warn: #9a5b00; --stripe: #d55e0033;
  --c-one-by-one: #c44a00; --c-full: #a87700; --c-partial: #0a5aa5; --c-incremental: #007a58;
  --part-1: #8b95a3; --part-2: #a87700; --part-3: #0a5aa5; --part-4: #56a5dd; --part-5: #007a58; --part-6: #c79fc0;
  --part-7: #c44a00; --part-8: #d9b13b; --part-9: #7d4f95;`;
const DARK = `
  --paper: #14171b; --raised: #1d2127; --ink: #e8eaed; --muted: #a8b0bb; --faint: #7f8895; --grid: #8885; --edge: #3a414b;
  --accent: #6cb6ff; --warn: #f0b040; --stripe: #ff8c4240;
  --c-one-by-one: #ff8c4d; --c-full: #f0bf45; --c-partial: #62b5f2; --c-incremental: #3ccb98;
  --part-1: #7f8895; --part-2: #f0bf45; --part-3: #2f86cf; --part-4: #8fd0ff; --part-5: #3ccb98; --part-6: #e0b5d8;
  --part-7: #ff8c4d; --part-8: #ffe08a; --part-9: #b48ad0;`;

export const PAGE_STYLE = `
:root { color-scheme: light dark; ${LIGHT} }
@media (prefers-color-scheme: dark) { :root { ${DARK} } }
@media print { :root { color-scheme: light; ${LIGHT} } }
* { box-sizing: border-box; }
body { font: 16px/1.55 system-ui, sans-serif; margin: 0; background: var(--paper); color: var(--ink); }
main { max-width: 64rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
.brand { color: var(--muted); font-weight: 600; letter-spacing: .04em; margin: 0; }
h1 { font-size: clamp(1.5rem, 4vw, 2.1rem); line-height: 1.2; margin: .1rem 0 1rem; }
h2 { font-size: 1.25rem; margin: 2.75rem 0 .3rem; }
p { margin: .4rem 0 .8rem; max-width: 46rem; }
.answer { font-size: clamp(1.05rem, 2.6vw, 1.25rem); font-weight: 600; margin: .3rem 0; max-width: none; }
.answer span { font-weight: 400; color: var(--muted); }
.caution { border-left: 4px solid var(--warn); padding-left: .7rem; color: var(--muted); }
.switches { position: sticky; top: 0; z-index: 5; display: flex; flex-wrap: wrap; gap: .4rem 1.2rem; padding: .6rem 0;
  background: var(--paper); border-bottom: 1px solid var(--edge); margin-top: 1.2rem; }
.switches span { display: flex; flex-wrap: wrap; gap: .35rem; }
button, select { font: inherit; font-size: .875rem; color: var(--ink); background: var(--raised); border: 1px solid var(--edge);
  border-radius: 6px; padding: .25rem .65rem; min-height: 2rem; cursor: pointer; }
button[aria-pressed="false"] { color: var(--muted); text-decoration: line-through; background: none; }
button[aria-pressed="false"] i { opacity: .25; }
button:focus-visible, select:focus-visible, summary:focus-visible, .wide:focus-visible, pre:focus-visible {
  outline: 2px solid var(--accent); outline-offset: 2px; }
.switches i, .tip i, .key i { display: inline-block; width: .7em; height: .7em; border-radius: 50%; margin-right: .4em; }
.s-one-by-one { background: var(--c-one-by-one); } .s-full { background: var(--c-full); }
.s-partial { background: var(--c-partial); } .s-incremental { background: var(--c-incremental); }
.switches i:not(.s-one-by-one, .s-full, .s-partial, .s-incremental) { display: none; }
[data-published]::before { content: "\\25cb\\a0"; }
.dash { width: 28px; height: 4px; margin-right: .45em; vertical-align: middle; stroke: currentColor; stroke-width: 2; fill: none; }
.others { margin: .4rem 0 .8rem; } .others .answer { font-size: 1rem; }
.key { display: flex; flex-wrap: wrap; gap: .2rem 1rem; font-size: .875rem; color: var(--muted); }
.controls { display: flex; flex-wrap: wrap; gap: .3rem .8rem; align-items: center; }
.plot { position: relative; min-height: 260px; margin: .5rem 0 1rem; }
.u-wrap, .uplot { font: inherit; }
.tip { position: absolute; z-index: 4; pointer-events: none; background: var(--raised); border: 1px solid var(--edge);
  border-radius: 6px; padding: .35rem .6rem; font-size: .8125rem; max-width: 20rem; box-shadow: 0 2px 8px #0003; }
.tip[hidden] { display: none; }
.tip div:first-child { color: var(--muted); }
details { border: 1px solid var(--edge); border-radius: 8px; padding: .4rem .9rem; margin: .5rem 0; }
summary { cursor: pointer; font-weight: 600; }
details ul { padding-left: 1.2rem; }
.csv { margin: .5rem 0; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .25rem .7rem; border-bottom: 1px solid var(--edge); white-space: nowrap; }
thead th { color: var(--muted); font-weight: 600; }
:is(th, td):nth-child(-n+2) { text-align: left; }
.environment :is(th, td) { text-align: left; white-space: normal; vertical-align: top; }
.environment td { overflow-wrap: anywhere; }
.environment th { color: var(--muted); font-weight: 500; }
pre { background: var(--raised); border: 1px solid var(--edge); border-radius: 8px; padding: .7rem .9rem; overflow-x: auto; }
@media (max-width: 30rem) {
  .switches { flex-wrap: nowrap; overflow-x: auto; }
  .switches span { flex-wrap: nowrap; white-space: nowrap; }
  th, td { padding: .25rem .4rem; font-size: .8rem; }
  td:first-child { white-space: normal; }
}
@page { margin: 14mm; }
@media print {
  body { font-size: 10pt; line-height: 1.4; }
  main { max-width: none; padding: 0; }
  h1 { font-size: 18pt; } h2 { font-size: 13pt; margin-top: 1.4rem; }
  p { max-width: none; } .answer { font-size: 11pt; } .others .answer { font-size: 9.5pt; }
  /* Switches tell which line is which, and choices what is drawn: they stay as text, without those that are off. */
  .switches { position: static; border: 0; padding: .2rem 0; gap: .2rem 1.6rem; break-inside: avoid; }
  button, select { appearance: none; border: 0; padding: 0; margin-right: .6rem; min-height: 0; background: none; font-size: inherit; }
  .csv, .tip, .switches button[aria-pressed="false"] { display: none; }
  h2, h2 + p, .controls, .key, summary { break-after: avoid; }
  section, .short, .plot, .key, .caution, .answer, pre, tr { break-inside: avoid; }
  tr:nth-child(-n+3) { break-after: avoid; } tr:nth-last-child(-n+3) { break-before: avoid; }
  /* Drawn for the window's width, which paper may lack. */
  .plot { min-height: 0; }
  .uplot, .u-wrap { max-width: 100%; height: auto !important; }
  .plot canvas { height: auto; }
  .u-under, .u-over { display: none; }
  details { border: 0; padding: 0; margin: .7rem 0; }
  summary { list-style: none; } summary::-webkit-details-marker { display: none; }
  .wide { overflow: visible; }
  table { font-size: 7.5pt; line-height: 1.25; width: 100%; }
  /* Words in place of lines: what does not fit makes browsers print the whole page smaller. */
  th, td { padding: .12rem .25rem; white-space: normal; }
  thead th { vertical-align: bottom; }
  table:has(th:nth-child(13)) { font-size: 6.5pt; }
  pre { white-space: pre-wrap; overflow-wrap: anywhere; font-size: 8.5pt; }
}
`;
