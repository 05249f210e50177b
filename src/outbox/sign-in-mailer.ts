import { Inject, Injectable } from '@nestjs/common';
import type { NewSessionNotice, NewSessionNotifier } from 'nestjs-session-auth';
import type { BankUser } from '../users/bank-user.js';
import { placeOf } from '../users/place-of.js';
import { Outbox } from './outbox.js';

/** Tells users by mail of each new sign-in, if they want to know. */
@Injectable()
export class SignInMailer implements NewSessionNotifier<BankUser> {
  constructor(@Inject(Outbox) private readonly outbox: Outbox) {}

  wants(user: BankUser): boolean {
    return user.wantsSignInMail;
  }

  send({ user, session, device, ip, newDevice }: NewSessionNotice<BankUser>): void {
    const at = new Date(session.createdAt);
    const text = [
      `Hello ${user.name},`,
      '',
      newDevice === true
        ? 'somebody has just signed in to your account from a device that we have not seen before:'
        : 'somebody has just signed in to your account:',
      '',
      `${device}, ${placeOf(ip)}, ${at.toUTCString()}`,
      '',
      'Was it you? Then there is nothing to do. If not, sign that device out and change your password at once.',
    ].join('\n');
    const subject = newDevice === true ? `New device: ${device}` : `New sign-in: ${device}`;
    this.outbox.send({ userId: user.id, to: user.email, subject, text, at });
  }
}
