import { Inject } from '@nestjs/common';
import { Args, Context, Mutation, Query, Resolver } from '@nestjs/graphql';
import { CsrfService, Public, SessionAuthService } from 'nestjs-session-auth';

@Public()
@Resolver()
export class SignInResolver {
  constructor(
    @Inject(SessionAuthService) private readonly auth: SessionAuthService,
    @Inject(CsrfService) private readonly csrf: CsrfService,
  ) {}

  @Query(() => String)
  csrfToken(@Context('req') request: object): string {
    return this.csrf.issue(request);
  }

  /** Returns the CSRF token for the mutations that follow. */
  @Mutation(() => String)
  async login(
    @Context('req') request: object,
    @Args('email') email: string,
    @Args('password') password: string,
  ): Promise<string> {
    await this.auth.login(request, { email, password });
    return this.csrf.issue(request);
  }

  @Mutation(() => Boolean)
  async logout(@Context('req') request: object): Promise<boolean> {
    await this.auth.logout(request);
    return true;
  }
}
