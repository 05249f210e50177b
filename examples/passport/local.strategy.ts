import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { PasswordHasher } from 'nestjs-session-auth';
import { Strategy } from 'passport-local';
import { UsersService, type User } from '../quick-start/users.service.js';

/** As it was before: passport-local knows nothing of sessions. */
@Injectable()
export class LocalStrategy extends PassportStrategy(Strategy) {
  constructor(
    private readonly users: UsersService,
    private readonly passwords: PasswordHasher,
  ) {
    super({ usernameField: 'email' });
  }

  async validate(email: string, password: string): Promise<User | undefined> {
    const user = await this.users.findByEmail(email);
    return (await this.passwords.verify(password, user?.passwordHash)) ? user : undefined;
  }
}
