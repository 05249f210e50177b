import { Injectable } from '@nestjs/common';
import type { SessionUser, SessionUserProvider } from 'nestjs-session-auth';

/** Two kinds of people, whose ids have nothing to do with each other. */
class People implements SessionUserProvider {
  protected readonly roles: readonly string[] = [];

  findByEmail(email: string): Promise<SessionUser | undefined> {
    return Promise.resolve(email === 'ada@example.com' ? { id: '1', email, roles: this.roles } : undefined);
  }

  findById(id: string): Promise<SessionUser | undefined> {
    return Promise.resolve(id === '1' ? { id, roles: this.roles } : undefined);
  }
}

@Injectable()
export class Customers extends People {}

@Injectable()
export class Staff extends People {
  protected override readonly roles = ['clerk'];
}
