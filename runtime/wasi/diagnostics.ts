/** What can go wrong with a guest's files when it is saved, restored or set up: one function per case. */

export interface WasiDiagnostic {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  /** The descriptor it is about. */
  readonly fd?: number;
}

/** A diagnostic that is thrown. `code` is stable. */
export class WasiError extends Error {
  override name = 'WasiError';
  readonly code: string;
  readonly hint: string;
  readonly fd: number | undefined;

  constructor(diagnostic: WasiDiagnostic) {
    super(`${diagnostic.message}; ${diagnostic.hint}`);
    this.code = diagnostic.code;
    this.hint = diagnostic.hint;
    this.fd = diagnostic.fd;
  }
}

export function textWithNul(what: string): WasiDiagnostic {
  return {
    code: 'wasi-text-with-nul',
    message: `${what} holds a NUL character`,
    hint: 'a guest gets its arguments and environment as texts that end in one; leave it out',
  };
}

export function badPreopenName(guest: string): WasiDiagnostic {
  return {
    code: 'wasi-bad-preopen-name',
    message: `a directory is granted under the name ${JSON.stringify(guest)}, which is empty, too long, or granted twice`,
    hint: 'give each granted directory a name of its own',
  };
}

export function badState(reason: string): WasiDiagnostic {
  return {
    code: 'wasi-bad-state',
    message: `the snapshot's table of open files is damaged: ${reason}`,
    hint: 'use an undamaged copy of the snapshot',
  };
}

export function duplicateDescriptor(fd: number): WasiDiagnostic {
  return { ...badState(`descriptor ${fd} occurs twice`), fd };
}

export function notGranted(fd: number, preopen: string): WasiDiagnostic {
  return {
    code: 'wasi-not-granted',
    message: `descriptor ${fd} is under the directory ${JSON.stringify(preopen)}, which was not granted`,
    hint: `grant it under this name, for example -d ${preopen}::some/directory`,
    fd,
  };
}

export function tooManyRights(fd: number, preopen: string | undefined): WasiDiagnostic {
  const grant = preopen === undefined ? 'its kind can have' : `the grant of ${JSON.stringify(preopen)} gives`;
  return {
    code: 'wasi-rights-not-granted',
    message: `descriptor ${fd} claims more rights than ${grant}`,
    hint: preopen === undefined ? 'do not use this snapshot' : 'grant the directory for writing, too',
    fd,
  };
}

export function fileGone(fd: number, place: string): WasiDiagnostic {
  return {
    code: 'wasi-file-gone',
    message: `descriptor ${fd} was open on ${place}, which cannot be found any more`,
    hint: 'put it back, or grant a directory that has it',
    fd,
  };
}

export function fileOfOtherKind(fd: number, place: string, expected: string, found: string): WasiDiagnostic {
  return {
    code: 'wasi-file-of-other-kind',
    message: `descriptor ${fd} was open on ${place}, which was a ${expected} and is a ${found} now`,
    hint: 'put back what was there',
    fd,
  };
}

export function fileChanged(fd: number, place: string, what: string): WasiDiagnostic {
  return {
    code: 'wasi-file-changed',
    message: `descriptor ${fd} was open on ${place}, ${what}`,
    hint: 'put back the file as it was, or accept changed files when you restore',
    fd,
  };
}

export function cannotReopen(fd: number, place: string, errno: number): WasiDiagnostic {
  return {
    code: 'wasi-cannot-reopen',
    message: `descriptor ${fd} was open on ${place}, which cannot be opened again (WASI error ${errno})`,
    hint: 'check the permissions of the file and of the directories above it',
    fd,
  };
}

export function noNetwork(fd: number, what: string): WasiDiagnostic {
  return {
    code: 'wasi-address-not-granted',
    message: `descriptor ${fd} ${what}, and no address was granted`,
    hint: 'grant the addresses that the program may use, for example --addr 127.0.0.1:8080',
    fd,
  };
}

export function addressNotGranted(fd: number, address: string): WasiDiagnostic {
  return {
    code: 'wasi-address-not-granted',
    message: `descriptor ${fd} is a socket that uses the address ${address}, which was not granted`,
    hint: `grant it, for example --addr ${address}`,
    fd,
  };
}

export function connectionToDecide(fd: number, address: string): WasiDiagnostic {
  return {
    code: 'wasi-open-connection',
    message: `descriptor ${fd} was connected to ${address}, and that connection is gone`,
    hint: 'choose: --sockets=reconnect connects anew, --sockets=fail lets the program see that it broke',
    fd,
  };
}

export function cannotReconnect(fd: number, address: string, errno: number): WasiDiagnostic {
  return {
    code: 'wasi-cannot-reconnect',
    message: `descriptor ${fd} was connected to ${address}, which cannot be reached now (WASI error ${errno})`,
    hint: 'start what listens there, or restore with --sockets=fail',
    fd,
  };
}

export function cannotBindAgain(fd: number, address: string, errno: number): WasiDiagnostic {
  return {
    code: 'wasi-cannot-bind',
    message: `descriptor ${fd} had the address ${address}, which cannot be had here (WASI error ${errno})`,
    hint: 'restore on a machine that has this address, when nobody else listens there',
    fd,
  };
}

export function cannotSaveSocket(fd: number): WasiDiagnostic {
  return {
    code: 'wasi-open-socket',
    message: `descriptor ${fd} is a socket of the host's, whose connection cannot be put in a snapshot`,
    hint: 'take the checkpoint when the program has closed it',
    fd,
  };
}

export function cannotSaveSpecialFile(fd: number, place: string, type: string): WasiDiagnostic {
  return {
    code: 'wasi-special-file',
    message: `descriptor ${fd} is open on ${place}, a ${type}: what passes through it cannot be put in a snapshot`,
    hint: 'take the checkpoint when the program has closed it',
    fd,
  };
}

export function cannotSaveMissingFile(fd: number, place: string): WasiDiagnostic {
  return {
    code: 'wasi-deleted-file',
    message: `descriptor ${fd} is open on ${place}, which was deleted, moved or replaced since: nobody could open it again`,
    hint: 'take the checkpoint when the program has closed it',
    fd,
  };
}

export function cannotSync(fd: number, place: string, errno: number): WasiDiagnostic {
  return {
    code: 'wasi-cannot-sync',
    message: `descriptor ${fd} is open on ${place}, which cannot be brought to the disk (WASI error ${errno})`,
    hint: 'a snapshot must not be younger than the files it names; look after the disk and try again',
    fd,
  };
}
