import { Body, Get, Inject, Post, Query, Req, Res, UseGuards } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import {
  Clock,
  CsrfProtected,
  CsrfService,
  CurrentSession,
  CurrentUser,
  InjectRealm,
  Public,
  Realm,
  SessionAuthGuard,
  SessionAuthService,
  SessionLifecycleService,
  type Session,
} from 'nestjs-session-auth';
import { checkForm, fieldOf } from '../pages/form.js';
import { LastSession } from '../pages/last-session.js';
import { SeeOther, type PageAnswer, type PageContent } from '../pages/page.js';
import { PageController } from '../pages/page.controller.js';
import { refusedForm } from '../pages/refused-form.js';
import { CustomersService } from './customers.service.js';
import { NoteDto } from './note.dto.js';
import { OFFICE } from './office-realm.js';
import { officeLoginPage, officePage, type NoteForm } from './office.views.js';
import type { StaffUser } from './staff-user.js';

/** What the office keeps in a session. */
interface OfficeData {
  readonly note?: string;
}

type StaffSession = Session<OfficeData> & { readonly userId: string };

const MESSAGES = { note: 'A note takes 1 to 200 characters.' };

/** The pages of the back office: the way in and out, and what the staff see in between. */
@ApiExcludeController()
@Realm(OFFICE)
@PageController('office')
@UseGuards(SessionAuthGuard)
export class OfficeController {
  constructor(
    @InjectRealm(OFFICE, SessionAuthService) private readonly auth: SessionAuthService,
    @InjectRealm(OFFICE, SessionLifecycleService) private readonly sessions: SessionLifecycleService,
    @InjectRealm(OFFICE, CsrfService) private readonly csrf: CsrfService,
    @InjectRealm(OFFICE, Clock) private readonly clock: Clock,
    @Inject(CustomersService) private readonly customers: CustomersService,
    @Inject(LastSession) private readonly lastSession: LastSession,
  ) {}

  @Public()
  @Get('login')
  loginForm(
    @CurrentSession('userId') userId: string | undefined,
    @Req() request: object,
    @Res({ passthrough: true }) response: object,
    @Query() query: unknown,
  ): PageAnswer {
    if (userId !== undefined) return new SeeOther('/office');
    const lastEnd = this.lastSession.takeEnd(request, response);
    const end = fieldOf(query, 'because') === 'logout' ? 'logout' : lastEnd;
    return officeLoginPage({ csrfField: this.csrf.formField(request), end });
  }

  @Public()
  @CsrfProtected()
  @Post('login')
  async login(@Req() request: object, @Body() body: unknown): Promise<PageAnswer> {
    const [email, password] = [fieldOf(body, 'email').trim(), fieldOf(body, 'password')];
    try {
      await this.auth.login(request, { email, password });
      return new SeeOther('/office');
    } catch (error) {
      return refusedForm(error, 'E-mail or password is wrong.', (problem) =>
        officeLoginPage({ csrfField: this.csrf.formField(request), email, problem }),
      );
    }
  }

  @Public()
  @CsrfProtected({ withoutSession: 'headers' })
  @Post('logout')
  async logout(@Req() request: object): Promise<PageAnswer> {
    await this.auth.logout(request);
    return new SeeOther('/office/login?because=logout');
  }

  @Get()
  office(
    @CurrentUser() user: StaffUser,
    @CurrentSession() session: StaffSession,
    @Req() request: object,
  ): Promise<PageAnswer> {
    return this.#page(user, session, request, { note: session.data.note });
  }

  @CsrfProtected()
  @Post('note')
  async keepNote(
    @CurrentUser() user: StaffUser,
    @CurrentSession() session: StaffSession,
    @Req() request: object,
    @Body() body: unknown,
  ): Promise<PageAnswer> {
    const note = fieldOf(body, 'note').trim();
    const { note: problem } = checkForm(NoteDto, { note }, MESSAGES);
    if (problem !== undefined) {
      return { ...(await this.#page(user, session, request, { note, problem })), status: 422 };
    }
    await session.update({ note });
    return new SeeOther('/office', 'Your note is kept.');
  }

  async #page(user: StaffUser, current: StaffSession, request: object, note: NoteForm): Promise<PageContent> {
    const [customers, { sessions }] = await Promise.all([this.customers.all(), this.sessions.list(current.userId)]);
    const csrfField = this.csrf.formField(request);
    return officePage({ user, customers, sessions, currentId: current.id, now: this.clock.now(), csrfField }, note);
  }
}
