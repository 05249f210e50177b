import { Injectable } from '@nestjs/common';
import { filter, Subject, type Observable } from 'rxjs';

/** One transfer of money. */
export interface Transfer {
  readonly from: string;
  readonly to: string;
  readonly amount: number;
  readonly at: Date;
  /** What the form that asked for it was named by: sent twice, it is one transfer. */
  readonly formId?: string;
}

const KEPT = 1000;

/** What was transferred, the latest first to go when there is too much to keep. */
@Injectable()
export class Ledger {
  readonly #transfers: Transfer[] = [];
  readonly #made = new Subject<Transfer>();

  /** @param formId the name of the form that asks for it, which is good for one transfer of this user */
  transfer(from: string, to: string, amount: number, formId?: string): void {
    const isRepeated = this.#transfers.some((each) => each.from === from && each.formId === formId);
    if (formId !== undefined && isRepeated) return;
    const transfer = { from, to, amount, at: new Date(), formId };
    this.#transfers.push(transfer);
    if (this.#transfers.length > KEPT) this.#transfers.shift();
    this.#made.next(transfer);
  }

  /** What a user gets from now on, on this node. `names` are as of {@link statement}. */
  received(names: readonly string[]): Observable<Transfer> {
    return this.#made.pipe(filter(({ to }) => names.includes(to.trim().toLowerCase())));
  }

  /** What went from and to a user, the latest first. `names` are the user's id and whatever else money is sent to. */
  statement(userId: string, names: readonly string[]): readonly Transfer[] {
    const isTheirs = ({ from, to }: Transfer): boolean => from === userId || names.includes(to.trim().toLowerCase());
    return this.#transfers.filter(isTheirs).reverse();
  }
}
