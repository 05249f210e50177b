import { Controller, Get, Injectable, Module, UseGuards } from '@nestjs/common';
import {
  CurrentSession,
  InjectRealm,
  Realm,
  SessionAuthGuard,
  SessionAuthModule,
  SessionLifecycleService,
  type Session,
  type SessionUser,
  type SessionUserProvider,
} from 'nestjs-session-auth';

const secrets = [process.env['SESSION_SECRET'] ?? 'only for trying it out, 32 bytes or more'];

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
class Customers extends People {}

@Injectable()
class Staff extends People {
  protected override readonly roles = ['clerk'];
}

@Realm('staff')
@UseGuards(SessionAuthGuard)
@Controller('office')
class Office {
  constructor(@InjectRealm('staff', SessionLifecycleService) private readonly sessions: SessionLifecycleService) {}

  @Get()
  async who(@CurrentSession() session: Session): Promise<object> {
    const { sessions } = await this.sessions.list(session.userId!);
    return { realm: session.realm, devices: sessions.length };
  }

  @Realm('staff', 'default')
  @Get('help')
  help(@CurrentSession('realm') realm: string): object {
    return { for: realm };
  }
}

@Module({
  imports: [
    SessionAuthModule.forRoot({ secrets, users: { useClass: Customers } }),
    SessionAuthModule.forRoot({
      realm: 'staff',
      secrets,
      users: { useClass: Staff },
      lifetime: 'nistAal2',
      concurrency: 1,
    }),
  ],
  controllers: [Office],
})
export class AppModule {}
