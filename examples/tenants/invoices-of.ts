import { Controller, Get, UseGuards, type Type } from '@nestjs/common';
import { CurrentSession, Realm, SessionAuthGuard, type Session } from 'nestjs-session-auth';

/** Makes the routes of one tenant, in its realm and under its path. */
export function invoicesOf(tenant: string): Type {
  @Realm(tenant)
  @UseGuards(SessionAuthGuard)
  @Controller(`${tenant}/invoices`)
  class Invoices {
    @Get()
    list(@CurrentSession() session: Session): object {
      return { invoicesOf: session.realm };
    }
  }
  return Invoices;
}
