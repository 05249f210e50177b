import { Controller, Get, UseGuards } from '@nestjs/common';
import {
  CurrentSession,
  InjectRealm,
  Realm,
  SessionAuthGuard,
  SessionLifecycleService,
  type Session,
} from 'nestjs-session-auth';

@Realm('staff')
@UseGuards(SessionAuthGuard)
@Controller('office')
export class OfficeController {
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
