/** The board's script. It writes text nodes and attributes of its own only; nothing of the data is ever markup. */
export const script = `
'use strict';
const board = JSON.parse(document.getElementById('data').textContent);
const at = Date.parse(board.at);
const order = ['error', 'red', 'inconclusive', 'gated', 'deferred', 'promoted', 'skipped'];

const element = (name, attributes, ...children) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
  for (const child of children) if (child !== null && child !== undefined) made.append(child);
  return made;
};
const age = (time) => {
  if (!time) return '';
  const hours = (at - Date.parse(time)) / 3600000;
  if (hours < 1) return 'less than an hour ago';
  if (hours < 48) return Math.round(hours) + ' h ago';
  return Math.round(hours / 24) + ' days ago';
};
const day = (time) => (time ? time.slice(0, 16).replace('T', ' ') + ' UTC' : '');
const byText = new Intl.Collator('en', { numeric: true });

const columns = [
  { name: 'Recipe', value: (row) => row.recipe },
  { name: 'Result', value: (row) => String(order.indexOf(row.outcome)) },
  { name: 'Known good', value: (row) => row.canonical || '' },
  { name: 'Latest release', value: (row) => row.latest || '' },
  { name: 'Promoted', value: (row) => row.promotedAt || '' },
  { name: 'Why', value: (row) => row.reason },
];

let sort = { column: 1, ascending: true };
let only = '';

const details = (row) => {
  const facts = [
    row.gate.length > 0 ? 'Conditions that did not hold: ' + row.gate.join(', ') : '',
    row.base ? 'Upgraded from ' + row.base : '',
    row.attempts > 0 ? 'Attempts: ' + row.attempts : '',
    row.nextEligibleAt ? 'Tried again after ' + day(row.nextEligibleAt) : '',
    row.mirror ? 'Mirror: ' + row.mirror : '',
    ...row.runs.map((run) => run.version + ' was ' + run.verdict + ', ' + day(run.finishedAt)),
  ].filter(Boolean);
  if (facts.length === 0) return null;
  return element('details', {}, element('summary', {}, 'More'), element('ul', {}, ...facts.map((fact) => element('li', {}, fact))));
};

const line = (row) => element('tr', {},
  element('th', { scope: 'row' }, row.recipe, element('small', {}, row.repository.replace(/^[a-z]+:[/][/]/, ''))),
  element('td', { 'data-label': 'Result' }, element('span', { class: 'outcome ' + (order.includes(row.outcome) ? row.outcome : '') }, row.outcome)),
  element('td', { 'data-label': 'Known good' }, row.canonical || 'nothing yet'),
  element('td', { 'data-label': 'Latest release' }, row.latest || (row.reason === 'never-released' ? 'none' : 'unknown')),
  element('td', { 'data-label': 'Promoted' }, row.promotedAt ? element('time', { datetime: row.promotedAt, title: day(row.promotedAt) }, age(row.promotedAt)) : 'never'),
  element('td', { 'data-label': 'Why' }, element('code', {}, row.reason), element('small', {}, row.why), details(row)),
);

const show = () => {
  const words = document.getElementById('search').value.toLowerCase().split(/\\s+/).filter(Boolean);
  const { value } = columns[sort.column];
  const rows = board.rows
    .filter((row) => only === '' || row.outcome === only)
    .filter((row) => {
      const text = [row.recipe, row.repository, row.outcome, row.reason, row.why, row.canonical, row.latest].join(' ').toLowerCase();
      return words.every((word) => text.includes(word));
    })
    .sort((a, b) => (sort.ascending ? 1 : -1) * byText.compare(value(a), value(b)) || byText.compare(a.recipe, b.recipe));
  document.getElementById('rows').replaceChildren(...rows.map(line));
  document.getElementById('shown').textContent = rows.length + ' of ' + board.rows.length + ' recipes';
  document.querySelectorAll('#head th').forEach((head, index) => {
    if (index === sort.column) head.setAttribute('aria-sort', sort.ascending ? 'ascending' : 'descending');
    else head.removeAttribute('aria-sort');
  });
  document.querySelectorAll('#filters button').forEach((button) => {
    button.setAttribute('aria-pressed', String(button.dataset.outcome === only));
  });
  document.getElementById('sort').value = sort.column + (sort.ascending ? ' up' : ' down');
};

columns.forEach((column, index) => {
  const button = element('button', { type: 'button' }, column.name);
  button.addEventListener('click', () => {
    sort = { column: index, ascending: sort.column === index ? !sort.ascending : true };
    show();
  });
  document.getElementById('head').append(element('th', { scope: 'col' }, button));
  for (const [way, text] of [['up', ''], ['down', ', reversed']]) {
    document.getElementById('sort').append(element('option', { value: index + ' ' + way }, column.name + text));
  }
});
for (const outcome of ['', ...order]) {
  const count = outcome === '' ? board.rows.length : board.rows.filter((row) => row.outcome === outcome).length;
  if (count === 0) continue;
  const button = element('button', { type: 'button', 'data-outcome': outcome }, (outcome === '' ? 'all' : outcome) + ' ' + count);
  button.addEventListener('click', () => { only = outcome; show(); });
  document.getElementById('filters').append(button);
}
document.getElementById('search').addEventListener('input', show);
document.getElementById('sort').addEventListener('change', (event) => {
  const [column, way] = event.target.value.split(' ');
  sort = { column: Number(column), ascending: way === 'up' };
  show();
});
document.getElementById('about').textContent = board.fleet + ', ' + day(board.at);
show();
`;
