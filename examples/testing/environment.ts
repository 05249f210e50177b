process.env['SESSION_SECRET'] ??= 'a secret of the tests, which everybody may know';
