import { assetPath } from './asset.js';

/** How all pages look. */
export const STYLESHEET = `
:root {
  --ink: #17221f; --soft: #51605b; --line: #d8e0dc; --paper: #fff; --ground: #f2f6f4;
  --brand: #0f6b55; --brand-dark: #0a5342; --bad: #a3161f; --bad-ground: #fdeeee; --good-ground: #e5f4ee;
  color-scheme: light;
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 1rem/1.55 system-ui, "Liberation Sans", sans-serif; }
.skip { position: absolute; left: 1rem; top: -4rem; padding: .5rem 1rem; background: var(--paper); border-radius: 0 0 .5rem .5rem; }
.skip:focus { top: 0; z-index: 1; }
header { background: var(--paper); border-bottom: 1px solid var(--line); }
.bar { max-width: 60rem; margin: 0 auto; padding: .75rem 1.25rem; display: flex; flex-wrap: wrap; align-items: center; gap: .5rem 1.5rem; }
.brand { display: flex; align-items: center; gap: .6rem; font-weight: 700; font-size: 1.1rem; color: var(--ink); text-decoration: none; margin-right: auto; }
.brand .badge { margin-left: 0; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem; margin: 0; padding: 0; list-style: none; }
nav a { display: block; padding: .35rem .7rem; border-radius: .5rem; color: var(--soft); text-decoration: none; font-weight: 500; }
nav a:hover { background: var(--ground); color: var(--ink); }
nav a[aria-current] { background: var(--good-ground); color: var(--brand-dark); }
main { max-width: 60rem; margin: 0 auto; padding: 2rem 1.25rem 3rem; outline: 0; }
footer { max-width: 60rem; margin: 0 auto; text-align: center; padding: 0 1.25rem 2rem; color: var(--soft); font-size: .875rem; }
h1 { margin: 0 0 1.25rem; font-size: 1.9rem; line-height: 1.2; letter-spacing: -.02em; }
h2 { margin: 0 0 .75rem; font-size: 1.15rem; }
p { margin: 0 0 1rem; }
a { color: var(--brand-dark); }
:focus-visible { outline: 3px solid #1a73e8; outline-offset: 2px; border-radius: .3rem; }
.card { background: var(--paper); border: 1px solid var(--line); border-radius: 1rem; padding: 1.5rem; margin-bottom: 1.5rem; box-shadow: 0 1px 3px rgb(15 60 48 / 6%); }
.card > :last-child { margin-bottom: 0; }
main.narrow { max-width: 29.5rem; }
main.narrow h1 { text-align: center; }
main > form:not(.card) { margin-bottom: .75rem; }
.columns { display: grid; gap: 1.5rem; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); align-items: start; }
@media (min-width: 46rem) { .account { grid-template-rows: auto 1fr; } .account > :nth-child(2) { grid-column: 2; grid-row: 1 / 3; } }
.columns > .card { margin-bottom: 0; }
.columns { margin-bottom: 1.5rem; }
.balance { font-size: 2.4rem; font-weight: 700; letter-spacing: -.03em; margin: 0; font-variant-numeric: tabular-nums; }
.soft { color: var(--soft); }
.small { font-size: .875rem; }
.field { margin-bottom: 1.1rem; }
label { display: block; font-weight: 600; margin-bottom: .3rem; }
label.check { display: flex; gap: .6rem; align-items: center; font-weight: 400; }
label.check input { width: 1.15rem; height: 1.15rem; margin: 0; accent-color: var(--brand); }
input:not([type=checkbox]) { width: 100%; font: inherit; color: inherit; padding: .6rem .75rem; border: 1px solid #7d8c86; border-radius: .6rem; background: var(--paper); }
input[aria-invalid] { border-color: var(--bad); }
.hint { color: var(--soft); font-size: .875rem; margin: .3rem 0 0; }
.problem { color: var(--bad); font-size: .9rem; font-weight: 600; margin: .3rem 0 0; }
button, .button { display: inline-block; font: inherit; font-weight: 600; padding: .6rem 1.2rem; border: 1px solid var(--brand); border-radius: .6rem; background: var(--brand); color: #fff; cursor: pointer; text-decoration: none; }
button:hover, .button:hover { background: var(--brand-dark); border-color: var(--brand-dark); }
button.quiet { background: var(--paper); color: var(--ink); border-color: #7d8c86; padding: .35rem .9rem; }
button.quiet:hover { background: var(--ground); }
button.danger { background: var(--paper); color: var(--bad); border-color: var(--bad); padding: .35rem .9rem; }
button.danger:hover { background: var(--bad-ground); }
.wide { width: 100%; text-align: center; }
.sign-out { margin: 0; }
.notice { padding: .8rem 1.1rem; border-radius: .7rem; border: 1px solid var(--line); background: var(--paper); }
.notice.good { background: var(--good-ground); border-color: #a9d6c5; }
.notice.bad { background: var(--bad-ground); border-color: #ecb9bc; color: var(--bad); }
.list { list-style: none; margin: 0; padding: 0; }
.list > li { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; justify-content: space-between; padding: 1rem 0; border-top: 1px solid var(--line); }
.list > li:first-child { border-top: 0; padding-top: 0; }
.list > li:last-child { padding-bottom: 0; }
.list strong { font-weight: 650; }
.list form { margin: 0; }
.amount { font-variant-numeric: tabular-nums; font-weight: 650; white-space: nowrap; }
.badge { display: inline-block; margin-left: .5rem; padding: .05rem .6rem; border-radius: 1rem; background: var(--good-ground); color: var(--brand-dark); font-size: .8rem; font-weight: 600; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
caption { text-align: left; font-weight: 700; font-size: 1.15rem; padding-bottom: .6rem; }
th { text-align: left; color: var(--soft); font-weight: 600; font-size: .85rem; }
th, td { padding: .55rem .75rem .55rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
.events td:nth-child(-n+2) { white-space: nowrap; }
tr:last-child td { border-bottom: 0; }
code { font-family: ui-monospace, "Liberation Mono", monospace; font-size: .9em; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; margin: 0; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
.mail pre { white-space: pre-wrap; font: inherit; margin: 1rem 0 0; padding-top: 1rem; border-top: 1px solid var(--line); }
@media (max-width: 40rem) { nav { order: 1; width: 100%; } nav ul { justify-content: space-between; } nav a { padding: .35rem .5rem; } }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
`;

export const STYLESHEET_PATH = assetPath('bank', 'css', STYLESHEET);
