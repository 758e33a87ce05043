/** The board's style: one column of cards on a phone, a table on a desk, light and dark. */
export const style = `
:root {
  --page: #f6f7f9; --card: #ffffff; --text: #17202b; --soft: #56616f; --line: #d8dde4; --accent: #0b57d0;
  --promoted: #0a6b3d; --red: #b3261e; --inconclusive: #7a4d00; --gated: #7a4d00; --skipped: #56616f;
  --deferred: #5b3fb5; --error: #b3261e;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #12161b; --card: #1b2129; --text: #e8ecf1; --soft: #a3adb9; --line: #333c47; --accent: #8ab4f8;
    --promoted: #6dd58c; --red: #ff8a80; --inconclusive: #f5b94d; --gated: #f5b94d; --skipped: #a3adb9;
    --deferred: #c3aef8; --error: #ff8a80;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--text); line-height: 1.45; overflow-wrap: anywhere;
  font-family: system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; font-size: 1rem;
}
header, main { max-width: 76rem; margin: 0 auto; padding: 1rem; }
header { padding-bottom: 0; }
h1 { margin: 0; font-size: 1.5rem; }
#about, #shown { margin: .25rem 0 .75rem; color: var(--soft); }
#tools { display: flex; flex-wrap: wrap; gap: .75rem; }
label { display: flex; align-items: center; gap: .5rem; color: var(--soft); }
label.search { flex: 1 1 14rem; }
input, select, button {
  font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line); border-radius: .5rem;
  padding: .5rem .75rem; min-height: 2.75rem;
}
input { flex: 1; min-width: 0; color: var(--text); }
select { color: var(--text); }
button { cursor: pointer; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
#filters { display: flex; flex-wrap: wrap; gap: .5rem; margin: .75rem 0; }
#filters button { border-radius: 2rem; }
#filters button[aria-pressed="true"] { border-color: var(--accent); box-shadow: inset 0 0 0 1px var(--accent); font-weight: 600; }
table { width: 100%; border-collapse: collapse; background: var(--card); border: 1px solid var(--line); border-radius: .75rem; }
th, td { text-align: left; vertical-align: top; padding: .6rem .75rem; border-top: 1px solid var(--line); }
thead th { border-top: 0; padding: .25rem; white-space: nowrap; }
thead button { border: 0; background: none; padding: .25rem .5rem; font-weight: 600; color: var(--soft); }
thead th[aria-sort="ascending"] button::after { content: " \\2191"; }
thead th[aria-sort="descending"] button::after { content: " \\2193"; }
tbody th { font-weight: 600; overflow-wrap: anywhere; }
td { overflow-wrap: anywhere; }
small { display: block; color: var(--soft); font-weight: 400; font-size: .875rem; }
code { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: .9em; }
.outcome { font-weight: 600; overflow-wrap: break-word; }
.outcome::before { content: "\\25CF"; margin-right: .4rem; }
.promoted { color: var(--promoted); } .red { color: var(--red); } .inconclusive { color: var(--inconclusive); }
.gated { color: var(--gated); } .skipped { color: var(--skipped); } .deferred { color: var(--deferred); }
.error { color: var(--error); }
label.sort { display: none; }
details { margin-top: .25rem; }
summary { cursor: pointer; color: var(--accent); min-height: 1.5rem; }
ul { margin: .25rem 0 0; padding-left: 1.1rem; }
@media (max-width: 52rem) {
  label.sort { display: flex; flex: 1 1 10rem; }
  label.sort select { flex: 1; min-width: 0; }
  table, tbody, th, td { display: block; }
  table { background: none; border: 0; }
  thead { display: none; }
  tbody tr { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); background: var(--card); border: 1px solid var(--line); border-radius: .75rem; margin-bottom: .75rem; padding: .5rem .25rem; }
  tbody th, td { border: 0; padding: .25rem .75rem; }
  tbody th, tbody td:last-child { grid-column: 1 / -1; }
  tbody th { font-size: 1.1rem; }
  td[data-label]::before { content: attr(data-label); display: block; color: var(--soft); font-size: .8125rem; }
}
`;
