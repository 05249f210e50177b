import { assetPath } from './asset.js';

/**
 * Keeps the account page up to date while it is open: money that comes in, and the end of the session. The page says
 * all of it without a script as well, when it is loaded again.
 */
export const ACCOUNT_SCRIPT = `
const RETRY_AFTER = 2000;

let events;

function listen() {
  events = new EventSource('/account/events');
  events.addEventListener('transfer', ({ data }) => showTransfer(JSON.parse(data)));
  events.addEventListener('session_ended', () => {
    events.close();
    showEnd();
  });
  events.addEventListener('error', () => {
    // a browser connects again by itself, unless it was refused. A page that is left is gone by then
    if (events.readyState === EventSource.CLOSED) setTimeout(lookAgain, RETRY_AFTER);
  });
}

async function lookAgain() {
  const { status } = await fetch('/api/me').catch(() => ({ status: 503 }));
  if (status === 401) showEnd();
  else listen();
}

function showTransfer({ balance, who, at, amount }) {
  document.getElementById('balance-amount').textContent = balance;
  const item = document.getElementById('new-transfer').content.cloneNode(true);
  const set = (name, text) => (item.querySelector('[data-' + name + ']').textContent = text);
  set('who', who);
  set('at', at);
  set('amount', amount);
  document.getElementById('no-transfers').hidden = true;
  document.getElementById('transfer-list').prepend(item);
}

/** Nothing of the account stays on a screen that may be somebody else's by now. */
function showEnd() {
  document.querySelector('header nav')?.remove();
  document.querySelector('header .sign-out')?.remove();
  document.querySelector('main').replaceChildren(document.getElementById('session-ended').content.cloneNode(true));
}

// a page that is left asks for nothing any more; one that the browser has kept may be shown again
addEventListener('pagehide', () => events.close());
addEventListener('pageshow', ({ persisted }) => persisted && listen());
listen();
`;

export const ACCOUNT_SCRIPT_PATH = assetPath('account', 'js', ACCOUNT_SCRIPT);
