import { Inject, Injectable } from '@nestjs/common';
import type { NewSessionNotice, NewSessionNotifier } from 'nestjs-session-auth';
import type { User } from '../quick-start/users.service.js';
import { Mailer } from './mailer.js';

/** Tells users by mail when they sign in from somewhere new. */
@Injectable()
export class MailNotifier implements NewSessionNotifier<User> {
  constructor(@Inject(Mailer) private readonly mailer: Mailer) {}

  wants(user: User): boolean {
    return user.email !== undefined; // or a setting that your users have
  }

  async send({ user, newDevice, device, ip }: NewSessionNotice<User>): Promise<void> {
    if (newDevice === false) return;
    await this.mailer.send(user.email, `New sign-in: ${device}, from ${ip}. Was it not you? Change your password.`);
  }
}
