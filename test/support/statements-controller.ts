import { Controller, Get, Header, UseGuards } from '@nestjs/common';
import { EmbeddingGuard, SessionAuthGuard } from 'nestjs-session-auth';

const PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"><title>of Alice</title></svg>';
const SCRIPT = 'globalThis.told = "of Alice";';

/** What a signed-in user's pages are made of, twice: for everybody to embed, and for the bank's own pages only. */
@Controller('statements')
@UseGuards(SessionAuthGuard)
export class StatementsController {
  @Get('open/picture')
  @Header('content-type', 'image/svg+xml')
  openPicture(): string {
    return PICTURE;
  }

  @Get('open/script')
  @Header('content-type', 'text/javascript')
  openScript(): string {
    return SCRIPT;
  }

  @UseGuards(EmbeddingGuard)
  @Get('guarded/picture')
  @Header('content-type', 'image/svg+xml')
  guardedPicture(): string {
    return PICTURE;
  }

  @UseGuards(EmbeddingGuard)
  @Get('guarded/script')
  @Header('content-type', 'text/javascript')
  guardedScript(): string {
    return SCRIPT;
  }

  @UseGuards(EmbeddingGuard)
  @Get('guarded/for-siblings')
  @Header('cross-origin-resource-policy', 'same-site')
  forSiblings(): string {
    return PICTURE;
  }
}
