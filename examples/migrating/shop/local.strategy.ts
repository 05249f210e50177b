import { Injectable } from '@nestjs/common';
import { AuthGuard, PassportStrategy } from '@nestjs/passport';
import bcrypt from 'bcrypt';
import type { ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { Strategy } from 'passport-local';
import { UsersService, type User } from '../../quick-start/users.service.js';

@Injectable()
export class LocalStrategy extends PassportStrategy(Strategy) {
  constructor(private readonly users: UsersService) {
    super({ usernameField: 'email' });
  }

  async validate(email: string, password: string): Promise<User | undefined> {
    const user = await this.users.findByEmail(email);
    return user !== undefined && (await bcrypt.compare(password, user.passwordHash)) ? user : undefined;
  }
}

@Injectable()
export class LocalGuard extends AuthGuard('local') {
  override handleRequest<Found>(error: unknown, user: Found, _info: unknown, context: ExecutionContext): Found {
    if (error) throw error as Error;
    if (!user) context.switchToHttp().getRequest<Request>().flash('error', 'Wrong e-mail or password');
    return user;
  }
}
