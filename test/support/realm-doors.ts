import { Controller, Get, Post, UseGuards, type Type } from '@nestjs/common';
import {
  CsrfExempt,
  CsrfProtected,
  CurrentSession,
  CurrentUser,
  EmbeddingGuard,
  Passive,
  Public,
  Realm,
  RequireFactor,
  RequireFullAuth,
  RequireRecentAuth,
  Roles,
  SessionAuthGuard,
} from 'nestjs-session-auth';
import type { RealmName } from './realm-app.js';

type By = object;
const by = (realm: string | undefined): By => ({ by: realm ?? null });

/** Doors of some realms, which a decorator of the class names, or one of each handler in spite of the class. */
function doorsOf(path: string, place: string, ...realms: [RealmName, ...RealmName[]]): Type {
  const OfHandler = (): MethodDecorator => (place === 'handler' ? Realm(...realms) : () => undefined);

  @(place === 'class' ? Realm(...realms) : Realm('default'))
  @Controller(`${place}/${path}`)
  class Doors {
    @OfHandler()
    @UseGuards(SessionAuthGuard)
    @Get('session')
    session(@CurrentSession('realm') realm: string): By {
      return by(realm);
    }

    @OfHandler()
    @Roles('boss')
    @Get('roles')
    roles(@CurrentSession('realm') realm: string): By {
      return by(realm);
    }

    @OfHandler()
    @RequireRecentAuth('10m')
    @Get('recent')
    recent(@CurrentSession('realm') realm: string): By {
      return by(realm);
    }

    @OfHandler()
    @RequireFullAuth()
    @Get('full')
    full(@CurrentSession('realm') realm: string): By {
      return by(realm);
    }

    @OfHandler()
    @RequireFactor('totp')
    @Get('factor')
    factor(@CurrentSession('realm') realm: string): By {
      return by(realm);
    }

    @OfHandler()
    @Get('user')
    user(@CurrentUser() { roles }: { roles: string[] }): By {
      return by(roles[0]);
    }

    @OfHandler()
    @Passive()
    @Get('passive')
    passive(@CurrentSession('realm') realm: string | undefined): By {
      return by(realm);
    }

    @OfHandler()
    @Get('open')
    open(@CurrentSession('realm') realm: string | undefined): By {
      return by(realm);
    }

    @OfHandler()
    @Public()
    @Get('public')
    public(@CurrentSession('realm') realm: string | undefined): By {
      return by(realm);
    }

    @OfHandler()
    @UseGuards(EmbeddingGuard)
    @Get('picture')
    picture(@CurrentSession('realm') realm: string | undefined): By {
      return by(realm);
    }

    @OfHandler()
    @UseGuards(SessionAuthGuard, EmbeddingGuard)
    @Get('private-picture')
    privatePicture(@CurrentSession('realm') realm: string): By {
      return by(realm);
    }

    @OfHandler()
    @CsrfProtected()
    @Post('act')
    act(@CurrentSession('realm') realm: string | undefined): By {
      return by(realm);
    }

    @OfHandler()
    @Post('unmarked')
    unmarked(@CurrentSession('realm') realm: string | undefined): By {
      return by(realm);
    }

    @OfHandler()
    @CsrfExempt()
    @Post('exempt')
    exempt(@CurrentSession('realm') realm: string | undefined): By {
      return by(realm);
    }
  }
  return Doors;
}

/** Where the decorator is. */
export const PLACES = ['class', 'handler'];
/** Doors of one realm, of another, and of either of them. */
export const DOORS = PLACES.flatMap((place) => [
  doorsOf('staff', place, 'staff'),
  doorsOf('partner', place, 'partner'),
  doorsOf('either', place, 'staff', 'partner'),
]);
