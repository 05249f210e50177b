import { Module } from '@nestjs/common';
import { Outbox } from './outbox.js';
import { SignInMailer } from './sign-in-mailer.js';

@Module({ providers: [Outbox, SignInMailer], exports: [Outbox, SignInMailer] })
export class OutboxModule {}
