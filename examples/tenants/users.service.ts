import { Injectable } from '@nestjs/common';
import type { SessionUser, SessionUserProvider } from 'nestjs-session-auth';

/** Your users. Here: two, in memory. Ada works for two tenants. */
@Injectable()
export class UsersService implements SessionUserProvider {
  readonly #roles = new Map([
    ['ada', ['tenant:acme', 'tenant:globex']],
    ['bob', ['tenant:globex']],
  ]);

  findByEmail(email: string): Promise<SessionUser | undefined> {
    return this.findById(email.replace('@example.com', ''));
  }

  findById(id: string): Promise<SessionUser | undefined> {
    const roles = this.#roles.get(id);
    return Promise.resolve(roles && { id, email: `${id}@example.com`, roles });
  }

  /** Returns the roles that are left. */
  removeFrom(tenant: string, id: string): readonly string[] {
    const roles = (this.#roles.get(id) ?? []).filter((role) => role !== `tenant:${tenant}`);
    this.#roles.set(id, roles);
    return roles;
  }
}
