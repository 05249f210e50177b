import type { Transfer } from '../banking/ledger.js';
import type { BankUser } from '../users/bank-user.js';
import { alert, field, type Problems } from './form.js';
import { html, trustedHtml, type Html } from './html.js';
import { ACCOUNT_SCRIPT_PATH } from './account-script.js';
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
  const body = html` <div class="columns account">
      <section class="card" aria-labelledby="balance">
        <h2 id="balance">Balance</h2>
        <p class="balance" id="balance-amount">${balanceOf(transfers, user)}</p>
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
        <p class="soft" id="no-transfers" ${transfers.length > 0 && trustedHtml('hidden')}>Nothing yet.</p>
        <ul class="list" id="transfer-list" aria-live="polite">
          ${transfers.slice(0, SHOWN).map((transfer) => transferItem(transferLine(transfer, user)))}
        </ul>
      </section>
    </div>
    <template id="new-transfer">${transferItem({ who: '', at: '', amount: '' })}</template>
    <template id="session-ended">
      <h1>You have been signed out</h1>
      <section class="card" role="alert">
        <p>Your session was ended here, perhaps from another device of yours.</p>
        <p><a class="button wide" href="/login?next=%2Faccount">Sign in again</a></p>
      </section>
    </template>
    <script src="${ACCOUNT_SCRIPT_PATH}" defer></script>`;
  return { title: `Hello ${user.name}`, body };
}

/** What money is sent to a user by. */
export function namesOf({ id, email }: BankUser): readonly string[] {
  return [id, email];
}

export function balanceOf(transfers: readonly Transfer[], user: BankUser): string {
  return money(transfers.reduce((sum, transfer) => sum + changeOf(transfer, user), OPENING_BALANCE));
}

/** What the account page says of a transfer. */
export interface TransferLine {
  readonly who: string;
  readonly at: string;
  readonly amount: string;
}

export function transferLine(transfer: Transfer, user: BankUser): TransferLine {
  const change = changeOf(transfer, user);
  return {
    who: transfer.from === user.id ? `To ${transfer.to}` : `From ${transfer.from}`,
    at: `${DAYS.format(transfer.at)} UTC`,
    amount: `${change > 0 ? '+' : ''}${money(change)}`,
  };
}

function transferItem({ who, at, amount }: TransferLine): Html {
  return html`<li>
    <span><strong data-who>${who}</strong><br /><span class="soft small" data-at>${at}</span></span>
    <span class="amount" data-amount>${amount}</span>
  </li>`;
}

function changeOf({ from, to, amount }: Transfer, { id, email }: BankUser): number {
  const isReceived = [id, email].includes(to.trim().toLowerCase());
  return (isReceived ? amount : 0) - (from === id ? amount : 0);
}
