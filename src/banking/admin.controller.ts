import {
  Body,
  Controller,
  Get,
  HttpCode,
  Inject,
  NotFoundException,
  Param,
  Post,
  Put,
  ValidationPipe,
} from '@nestjs/common';
import { ApiCookieAuth, ApiTags } from '@nestjs/swagger';
import {
  CsrfProtected,
  Roles,
  SessionAuthService,
  SessionLifecycleService,
  type SessionView,
} from 'nestjs-session-auth';
import { ApiAnswers } from '../api-answers.decorator.js';
import { BankUsersService } from '../users/bank-users.service.js';
import { ChangedSessions, RevokedSessions, SessionOfUser } from './api-models.js';
import { ChangeRolesDto } from './change-roles.dto.js';

/** What the bank's own people may see. */
@ApiTags('Administration')
@ApiCookieAuth()
@Controller('api/admin')
@Roles('admin')
export class AdminController {
  constructor(
    @Inject(BankUsersService) private readonly users: BankUsersService,
    @Inject(SessionLifecycleService) private readonly sessions: SessionLifecycleService,
    @Inject(SessionAuthService) private readonly auth: SessionAuthService,
  ) {}

  /** The live sessions of all users. */
  @ApiAnswers('The live sessions of all users', { status: 200, type: [SessionOfUser] }, 'session_required', 'forbidden')
  @Get('sessions')
  async allSessions(): Promise<SessionView[]> {
    const pages = await Promise.all(this.users.all().map((user) => this.sessions.list(user.id)));
    return pages.flatMap((page) => page.sessions.map((session) => session.toJSON()));
  }

  /** The user cannot log in any more, and is signed out everywhere at once. */
  @CsrfProtected()
  @ApiAnswers('Disable a user', { status: 200, type: RevokedSessions }, 'session_required', 'forbidden', 'csrf_failed')
  @Post('users/:id/disable')
  @HttpCode(200)
  async disable(@Param('id') id: string): Promise<{ revokedSessions: number }> {
    if (!this.users.disable(id)) throw new NotFoundException('there is no such user');
    return this.auth.accountDisabled(id);
  }

  /** What the user may do changes with their next request, wherever they are signed in. */
  @CsrfProtected()
  @ApiAnswers(
    'Change a user’s roles',
    { status: 200, type: ChangedSessions },
    'session_required',
    'forbidden',
    'csrf_failed',
  )
  @Put('users/:id/roles')
  async changeRoles(
    @Param('id') id: string,
    @Body(new ValidationPipe({ whitelist: true })) { roles }: ChangeRolesDto,
  ): Promise<{ sessions: number }> {
    if (!this.users.changeRoles(id, roles)) throw new NotFoundException('there is no such user');
    return this.auth.rolesChanged(id, roles);
  }
}
