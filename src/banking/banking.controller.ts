import { setTimeout as delay } from 'node:timers/promises';
import {
  BadRequestException,
  Body,
  ConflictException,
  Controller,
  Get,
  HttpCode,
  Inject,
  Patch,
  Post,
  Query,
  Req,
  UseGuards,
  ValidationPipe,
} from '@nestjs/common';
import { ApiBody, ApiCookieAuth, ApiQuery, ApiTags } from '@nestjs/swagger';
import {
  CsrfProtected,
  CurrentSession,
  CurrentUser,
  Public,
  RequireRecentAuth,
  type Session,
  SessionAuthGuard,
  SessionLifecycleService,
} from 'nestjs-session-auth';
import { ApiAnswers } from '../api-answers.decorator.js';
import type { BankUser } from '../users/bank-user.js';
import { BankUsersService } from '../users/bank-users.service.js';
import { Me, RevokedSessions, TransferAnswer } from './api-models.js';
import { ChangeEmailDto } from './change-email.dto.js';
import { ChangePasswordDto } from './change-password.dto.js';
import { Ledger } from './ledger.js';
import { PasswordChange } from './password-change.js';
import { TransferDto } from './transfer.dto.js';

const VALIDATION = new ValidationPipe({ whitelist: true });
const MAX_DELAY = 5000;
const PREFERENCES = { status: 200, schema: { type: 'object', additionalProperties: true } };

/** The bank's JSON API for its customers. */
@ApiTags('Banking')
@ApiCookieAuth()
@Controller('api')
@UseGuards(SessionAuthGuard)
export class BankingController {
  constructor(
    @Inject(BankUsersService) private readonly users: BankUsersService,
    @Inject(SessionLifecycleService) private readonly sessions: SessionLifecycleService,
    @Inject(PasswordChange) private readonly passwordChange: PasswordChange,
    @Inject(Ledger) private readonly ledger: Ledger,
  ) {}

  @ApiAnswers('Who is signed in', { status: 200, type: Me }, 'session_required')
  @Get('me')
  me(@CurrentSession() session: Session): Me {
    return { userId: session.userId, email: session.email, roles: session.roles };
  }

  @CsrfProtected()
  @ApiAnswers('Send money', { status: 201, type: TransferAnswer }, 'session_required', 'csrf_failed')
  @Post('transfer')
  transfer(
    @CurrentSession('userId') userId: string,
    @Body(VALIDATION) { to, amount, formId }: TransferDto,
  ): { status: string } {
    this.ledger.transfer(userId, to, amount, formId);
    return { status: 'success' };
  }

  /** A taken-over session must not be enough to take over the account: the password is asked for again. */
  @CsrfProtected()
  @ApiAnswers(
    'Change the address',
    { status: 200, type: ChangeEmailDto },
    'session_required',
    'recent_authentication_required',
    'csrf_failed',
  )
  @Post('settings/email')
  @HttpCode(200)
  @RequireRecentAuth('10m')
  async changeEmail(
    @CurrentUser() user: BankUser,
    @Body(VALIDATION) { email }: ChangeEmailDto,
  ): Promise<{ email: string }> {
    if (!this.users.changeEmail(user.id, email)) throw new ConflictException('this address is taken');
    await this.sessions.updateUser(user.id, { email });
    return { email };
  }

  /**
   * Every other session ends, remembered devices too; this one goes on with a new token. No guard asks for a session: a
   * form that was sent twice comes with the token that its first answer has replaced.
   */
  @Public()
  @CsrfProtected()
  @ApiAnswers(
    'Change the password',
    { status: 200, type: RevokedSessions },
    'session_required',
    'invalid_credentials',
    'csrf_failed',
    'too_many_attempts',
  )
  @Post('settings/password')
  @HttpCode(200)
  async changePassword(
    @Req() request: object,
    @Body(VALIDATION) { currentPassword, newPassword }: ChangePasswordDto,
  ): Promise<{ revokedSessions: number }> {
    return this.passwordChange.change(request, currentPassword, newPassword);
  }

  @ApiAnswers('What the session holds', PREFERENCES, 'session_required')
  @Get('preferences')
  preferences(@CurrentSession('data') data: object): object {
    return data;
  }

  /** Merges the body's keys into the session, after `delay` milliseconds: what a slow request looks like. */
  @CsrfProtected()
  @ApiQuery({ name: 'delay', required: false, schema: { type: 'integer', minimum: 0, maximum: MAX_DELAY } })
  @ApiBody({ schema: { type: 'object', additionalProperties: true } })
  @ApiAnswers('Merge keys into what the session holds', PREFERENCES, 'session_required', 'csrf_failed')
  @Patch('preferences')
  async changePreferences(
    @CurrentSession() session: Session,
    @Body() body: unknown,
    @Query('delay') wait?: string,
  ): Promise<object> {
    if (typeof body !== 'object' || body === null || Array.isArray(body)) {
      throw new BadRequestException('the body must be an object of preferences');
    }
    if (wait !== undefined) await delay(readDelay(wait));
    await session.update(body);
    return session.data;
  }
}

function readDelay(given: unknown): number {
  const milliseconds = Number(given);
  if (typeof given !== 'string' || !/^\d{1,4}$/.test(given) || milliseconds > MAX_DELAY) {
    throw new BadRequestException(`delay: a whole number of milliseconds from 0 to ${MAX_DELAY}`);
  }
  return milliseconds;
}
