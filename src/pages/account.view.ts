import type { Transfer } from '../banking/ledger.js';
import type { BankUser } from '../users/bank-user.js';
import { alert, field, type Problems } from './form.js';
import { html, trustedHtml, type Html } from './html.js';
import type { PageContent } from './page.js';

/** What every customer starts with. */
const OPENING_BALANCE = 2500;
const SHOWN = 20;

const EUROS = new Intl.NumberFormat('en-IE', { style: 'currency', currency: 'EUR' });
const DAYS = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' });

export function money(amount: number): string {
  return EUROS.format(amount);
}

/** The transfer form as it was filled in. */
export interface TransferForm {
  readonly to?: string;
  readonly amount?: string;
  readonly problems?: Problems<'to' | 'amount' | 'formId'>;
}

export function accountPage(
  user: BankUser,
  transfers: readonly Transfer[],
  { csrfField, formId }: { readonly csrfField: string; readonly formId: string },
  { to, amount, problems }: TransferForm,
): PageContent {
  const changes = transfers.map((transfer) => changeOf(transfer, user));
  const balance = changes.reduce((sum, change) => sum + change, OPENING_BALANCE);
  const body = html` <div class="columns account">
    <section class="card" aria-labelledby="balance">
      <h2 id="balance">Balance</h2>
      <p class="balance">${money(balance)}</p>
    </section>
    <section class="card" aria-labelledby="transfer">
      <h2 id="transfer">Send money</h2>
      ${alert(problems && 'Nothing was sent: see below.')}
      <form method="post" action="/account/transfer">
        ${trustedHtml(csrfField)}
        <input type="hidden" name="formId" value="${formId}" />
        ${field({ name: 'to', label: 'To', autocomplete: 'off', value: to, hint: 'A customer, such as bob or bob@example.com', problem: problems?.to })}
        ${field({ name: 'amount', label: 'Amount in euros', autocomplete: 'off', inputmode: 'decimal', value: amount, problem: problems?.amount })}
        <button>Send</button>
      </form>
    </section>
    <section class="card" aria-labelledby="transfers">
      <h2 id="transfers">Latest transfers</h2>
      ${
        transfers.length === 0
          ? html`<p class="soft">Nothing yet.</p>`
          : html`<ul class="list">
              ${transfers.slice(0, SHOWN).map((transfer) => transferItem(transfer, user))}
            </ul>`
      }
    </section>
  </div>`;
  return { title: `Hello ${user.name}`, body };
}

function transferItem(transfer: Transfer, user: BankUser): Html {
  const change = changeOf(transfer, user);
  const who = transfer.from === user.id ? `To ${transfer.to}` : `From ${transfer.from}`;
  return html`<li>
    <span><strong>${who}</strong><br /><span class="soft small">${DAYS.format(transfer.at)} UTC</span></span>
    <span class="amount">${change > 0 && '+'}${money(change)}</span>
  </li>`;
}

function changeOf({ from, to, amount }: Transfer, { id, email }: BankUser): number {
  const isReceived = [id, email].includes(to.trim().toLowerCase());
  return (isReceived ? amount : 0) - (from === id ? amount : 0);
}
