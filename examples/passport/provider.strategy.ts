import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { SessionStateStore } from 'nestjs-session-auth/passport';
import { Strategy } from 'passport-oauth2';
import { UsersService, type User } from '../quick-start/users.service.js';

const provider = process.env['PROVIDER_URL'] ?? 'https://provider.example';

@Injectable()
export class ProviderStrategy extends PassportStrategy(Strategy, 'provider') {
  constructor(
    store: SessionStateStore,
    private readonly users: UsersService,
  ) {
    super({
      authorizationURL: `${provider}/authorize`,
      tokenURL: `${provider}/token`,
      clientID: process.env['PROVIDER_CLIENT_ID'] ?? 'the-client',
      clientSecret: process.env['PROVIDER_CLIENT_SECRET'] ?? '',
      callbackURL: '/login/callback',
      state: true,
      pkce: true,
      store,
    });
  }

  override userProfile(accessToken: string, done: (error?: unknown, profile?: unknown) => void): void {
    fetch(`${provider}/profile`, { headers: { authorization: `Bearer ${accessToken}` } })
      .then((response) => response.json())
      .then((profile) => done(null, profile), done);
  }

  async validate(
    _accessToken: string,
    _refreshToken: string,
    { id }: { readonly id: string },
  ): Promise<User | undefined> {
    return this.users.findById(id);
  }
}
